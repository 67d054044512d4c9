// The function that is invoked: notes the event that it got.

export async function lambda_handler(event: unknown, { awsRequestId }: { awsRequestId: string }): Promise<string> {
  console.log(`hello from ${awsRequestId}: ${JSON.stringify(event)}`)
  return 'hello'
}
