// The names of runtimes that AWS knows, in the order of its messages.

/** Those that functions are created with. Source: LocalStack's provider, whose tests compare it with AWS (test_create_lambda_exceptions). */
export const validRuntimes: readonly string[] = [
  'nodejs20.x', 'python3.14', 'provided.al2023', 'python3.12', 'python3.13', 'nodejs24.x', 'nodejs22.x', 'java17', 'nodejs16.x',
  'java25', 'dotnet8', 'python3.10', 'java11', 'python3.11', 'dotnet6', 'java21', 'nodejs18.x', 'provided.al2', 'ruby3.3', 'ruby3.4',
  'java8.al2', 'ruby3.2', 'python3.8', 'python3.9',
]

/**
 * Those that functions were created with, and what is recommended now; without those that run here all the same.
 *
 * Observed: AWS, 13-06-2024, recorded by localstack's test_create_deprecated_function_runtime_with_validation_enabled.
 */
export const formerRuntimes: ReadonlyMap<string, string> = new Map([
  ['java8', 'java21'], ['go1.x', 'provided.al2023'], ['ruby2.7', 'ruby3.2'], ['dotnetcore3.1', 'dotnet6'],
])

/** Those that layers may say they fit. Source: LocalStack's provider, whose tests compare it with AWS (test_layer_exceptions). */
export const layerRuntimes: readonly string[] = [
  'ruby3.5', 'ruby2.6', 'dotnetcore1.0', 'python3.7', 'nodejs8.10', 'nasa', 'ruby2.7', 'python2.7-greengrass', 'dotnetcore2.0',
  'python3.8', 'java21', 'dotnet6', 'dotnetcore2.1', 'python3.9', 'java11', 'nodejs6.10', 'provided', 'dotnetcore3.1', 'dotnet8',
  'java25', 'java17', 'nodejs', 'nodejs4.3', 'java8.al2', 'go1.x', 'dotnet10', 'nodejs20.x', 'go1.9', 'byol', 'nodejs10.x',
  'provided.al2023', 'nodejs22.x', 'python3.10', 'java8', 'nodejs12.x', 'python3.11', 'nodejs24.x', 'nodejs8.x', 'python3.12',
  'nodejs14.x', 'nodejs8.9', 'nodejs26.x', 'python3.13', 'python3.14', 'nodejs16.x', 'python3.15', 'provided.al2', 'nodejs4.3-edge',
  'nodejs18.x', 'ruby3.2', 'python3.4', 'ruby3.3', 'ruby3.4', 'ruby2.5', 'python3.6', 'python2.7',
]
