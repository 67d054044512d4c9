// Who makes a call. A caller is established by a signature (or is a service of this server acting for itself).

export type Caller = RootCaller | UserCaller | RoleCaller | FederatedCaller | ServiceCaller | AnonymousCaller

interface SignedCaller {
  accountId: string
  /** As STS GetCallerIdentity answers it. */
  arn: string
  /** `aws:userid`: the account id, `AIDA…`, or `AROA…:session`. */
  userId: string
  accessKeyId: string
}

/** When temporary credentials begin and end, milliseconds. `issuedAtMs` is `aws:TokenIssueTime`. */
export interface SessionTimes {
  issuedAtMs: number
  expiresAtMs: number
}

export interface RootCaller extends SignedCaller {
  is: 'root'
  /** Of GetSessionToken's credentials; absent for an access key. */
  temporary?: SessionTimes
}

export interface UserCaller extends SignedCaller {
  is: 'user'
  userName: string
  /** Of GetSessionToken's credentials; absent for an access key. */
  temporary?: SessionTimes
}

/** A session that GetFederationToken began: who it calls itself, limited to what its user and its session policies both allow. */
export interface FederatedCaller extends SignedCaller, SessionTimes {
  is: 'federated'
  name: string
  /** The user behind it, or the account's root (then its id is the account's). */
  issuer: { id: string, arn: string }
  session?: SessionTerms
}

export interface RoleCaller extends SignedCaller, SessionTimes {
  is: 'role'
  roleName: string
  /** `arn:aws:iam::…:role/path/name`; `arn` is the session's `arn:aws:sts::…:assumed-role/name/session`. */
  roleArn: string
  roleId: string
  sessionName: string
  /** What the session was begun with beyond its role. */
  session?: SessionTerms
}

/** What whoever began a session laid down for it; its token carries this. */
export interface SessionTerms {
  /** An inline session policy, as text. */
  policy?: string
  /** Managed policies that serve as session policies. */
  policyArns?: readonly string[]
  tags?: Readonly<Record<string, string>>
  /** Of `tags`, those that a further role takes over. */
  transitiveTagKeys?: readonly string[]
  /** `aws:SourceIdentity`. */
  sourceIdentity?: string
  /** `aws:FederatedProvider`: the ARN of the identity provider whose token began the session. */
  federatedProvider?: string
}

/** A service of this server, such as `apigateway.amazonaws.com`, calling a resource that a resource policy may open to it. */
export interface ServiceCaller {
  is: 'service'
  principal: string
  /** The account for whose resource the service acts. */
  accountId: string
  arn: string
  userId: string
}

/** Nobody known: the caller of an operation that takes no signature. */
export interface AnonymousCaller {
  is: 'anonymous'
  accountId: ''
  arn: ''
  userId: ''
}

/** The times of a caller with temporary credentials; undefined for an access key. */
export function sessionTimesOf(caller: Caller): SessionTimes | undefined {
  switch (caller.is) {
    case 'role':
    case 'federated': return caller
    case 'root':
    case 'user': return caller.temporary
    default: return undefined
  }
}

/** What was laid down for a caller's session, if it is one. */
export function sessionTermsOf(caller: Caller): SessionTerms | undefined {
  return caller.is === 'role' || caller.is === 'federated' ? caller.session : undefined
}
