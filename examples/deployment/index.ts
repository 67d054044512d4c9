// What the examples' deployments have in common.

export { archiveOf, libraryFiles, readArchive, sourceFile, type ArchiveEntry } from './archives.ts'
export { absentWhen, withPatience } from './calls.ts'
export { ensureFunction, type FunctionWanted } from './functions.ts'
export { ensureRole, type RoleWanted } from './roles.ts'
export { apiUrl } from './urls.ts'
