// Who makes a call. A caller is established by a signature (or is a service of this server acting for itself).

export type Caller = RootCaller | UserCaller | RoleCaller | ServiceCaller

interface SignedCaller {
  accountId: string
  /** As STS GetCallerIdentity answers it. */
  arn: string
  /** `aws:userid`: the account id, `AIDA…`, or `AROA…:session`. */
  userId: string
  accessKeyId: string
}

export interface RootCaller extends SignedCaller { is: 'root' }

export interface UserCaller extends SignedCaller { is: 'user', userName: string }

export interface RoleCaller extends SignedCaller {
  is: 'role'
  roleName: string
  /** `arn:aws:iam::…:role/path/name`; `arn` is the session's `arn:aws:sts::…:assumed-role/name/session`. */
  roleArn: string
  roleId: string
  sessionName: string
  /** `aws:TokenIssueTime`, milliseconds. */
  issuedAtMs: number
  expiresAtMs: number
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
