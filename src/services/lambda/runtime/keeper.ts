// Extensions and runtime in one sandbox: a shell starts them beside each other, says when one ends, and passes on when the runtime should.

import type { Program } from './isolation/isolation.ts'

/**
 * Descriptor 5 is a conversation with the server: `start`, `terminate`; `extension <status> <name>`, `runtime <status>`. When it ends, so does
 * everything. Extensions write to descriptor 6; what the shell itself has to say goes nowhere. Neither they nor the runtime have the descriptors of the others.
 */
const script = `
exec 7>&2 2>/dev/null
directory=$1; shift
while [ "$1" != -- ]; do
  name=$1; shift
  ( "$directory/$name" 3>&- 4>&- 5>&- >&6 2>&6 6>&- 7>&-; echo "extension $? $name" >&5 ) 3>&- 4>&- &
done
shift
while read -r verb <&5; do
  case $verb in
    start)
      (
        trap 'kill -TERM "$runtime" 2>/dev/null' TERM
        "$@" 2>&7 5>&- 6>&- 7>&- & runtime=$!
        wait "$runtime"; status=$?
        while kill -0 "$runtime" 2>/dev/null; do wait "$runtime"; status=$?; done
        echo "runtime $status" >&5
      ) & keeping=$!
      exec 3>&- 4>&-
      ;;
    terminate) [ -n "$keeping" ] && kill -TERM "$keeping" 2>/dev/null ;;
  esac
done
kill -KILL 0
`

/** The runtime's program, kept beside extensions. `directory` and names are as the sandbox sees them. */
export function keptBeside(extensions: { directory: string, names: readonly string[] }, program: Pick<Program, 'file' | 'args'>): Pick<Program, 'file' | 'args'> {
  return { file: '/bin/sh', args: ['-c', script, 'keeper', extensions.directory, ...extensions.names, '--', program.file, ...program.args] }
}
