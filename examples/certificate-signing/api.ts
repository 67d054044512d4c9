// The API: the form from a mock integration, the signing behind a key, and what a page of another origin needs.

export interface ApiParts {
  functionArn: string
  /** HTML. */
  page: string
  /** PEM of the authority's certificate, for whoever checks what it signed. */
  authorityCertificate: string
}

export const API_NAME = 'certificate_signing'

const anyOrigin = { 'method.response.header.Access-Control-Allow-Origin': "'*'" }
const corsHeader = { 'Access-Control-Allow-Origin': { type: 'string' } }
const answered = { 'application/json': '{"statusCode": 200}' }
/** What a gateway refuses itself must be legible to the page too: 403 without a key, 429 over the limits. */
const legible = { responseParameters: { 'gatewayresponse.header.Access-Control-Allow-Origin': "'*'" } }

/** A file as API Gateway imports it: Swagger 2.0 with its extensions. */
export function apiDefinition({ functionArn, page, authorityCertificate }: ApiParts, region: string): object {
  return {
    swagger: '2.0',
    info: { title: API_NAME, version: '1.0', description: 'Signs certificate requests.' },
    securityDefinitions: { api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
    'x-amazon-apigateway-gateway-responses': { DEFAULT_4XX: legible, DEFAULT_5XX: legible },
    paths: {
      '/sign': {
        get: text('text/html', page),
        post: {
          consumes: ['application/json'],
          produces: ['application/json'],
          security: [{ api_key: [] }],
          responses: Object.fromEntries(['200', '400', '500'].map((status) => [status, { description: '', headers: corsHeader }])),
          'x-amazon-apigateway-integration': {
            type: 'aws',
            httpMethod: 'POST',
            uri: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
            passthroughBehavior: 'when_no_templates',
            responses: {
              default: { statusCode: '200', responseParameters: anyOrigin },
              'Request refused: .*': { statusCode: '400', responseParameters: anyOrigin, responseTemplates: { 'application/json': said("$input.path('$.errorMessage')") } },
              '(.|\\n)+': { statusCode: '500', responseParameters: anyOrigin, responseTemplates: { 'application/json': '{"message": "The signing function failed."}' } },
            },
          },
        },
        options: {
          responses: { 200: { description: '', headers: { ...corsHeader, 'Access-Control-Allow-Headers': { type: 'string' }, 'Access-Control-Allow-Methods': { type: 'string' } } } },
          'x-amazon-apigateway-integration': {
            type: 'mock',
            requestTemplates: answered,
            responses: {
              default: {
                statusCode: '200',
                responseParameters: {
                  ...anyOrigin,
                  'method.response.header.Access-Control-Allow-Headers': "'content-type,x-api-key'",
                  'method.response.header.Access-Control-Allow-Methods': "'POST,OPTIONS'",
                },
              },
            },
          },
        },
      },
      '/ca': { get: text('text/plain', authorityCertificate) },
    },
  }
}

/** A text that the gateway itself answers. */
function text(contentType: string, contents: string): object {
  return {
    produces: [contentType],
    responses: { 200: { description: '', headers: { 'Content-Type': { type: 'string' } } } },
    'x-amazon-apigateway-integration': {
      type: 'mock',
      requestTemplates: answered,
      responses: {
        default: { statusCode: '200', responseParameters: { 'method.response.header.Content-Type': `'${contentType}; charset=utf-8'` }, responseTemplates: { [contentType]: contents } },
      },
    },
  }
}

/** Inside a JSON string; JSON knows no escaped apostrophes. */
function said(reference: string): string {
  return `{"message": "$util.escapeJavaScript(${reference}).replaceAll("\\\\'", "'")"}`
}
