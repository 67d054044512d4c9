// Behind `GET /hello` in account B: greets whoever called, as the gateway tells it.

interface HelloEvent {
  requestContext: { authorizer?: { iam?: { userArn?: string } } }
}

export async function lambda_handler({ requestContext }: HelloEvent): Promise<{ message: string, caller: string | undefined }> {
  return { message: 'Hello from account B', caller: requestContext.authorizer?.iam?.userArn }
}
