#!/usr/bin/env python3
"""Vendors the service models that the wire runs on: reads botocore's, drops documentation, writes src/aws/models/.

Usage: python3 scripts/strip-models.py [directory of an unpacked botocore wheel]
Without an argument the installed botocore is read. Writes one shape or operation to a line, so that an update reads as a diff.
"""
import gzip
import json
import pathlib
import sys

MODELS = [
    ('apigateway', '2015-07-09'),
    ('apigatewaymanagementapi', '2018-11-29'),
    ('apigatewayv2', '2018-11-29'),
    ('dynamodb', '2012-08-10'),
    ('iam', '2010-05-08'),
    ('lambda', '2015-03-31'),
    ('logs', '2014-03-28'),
    ('sts', '2011-06-15'),
]

# What describes a client (documentation, endpoint rules, generated examples) and says nothing about the wire.
CLIENT_ONLY = {
    'documentation', 'documentationUrl', 'deprecatedMessage', 'deprecatedSince', 'examples', 'endpointdiscovery', 'endpointoperation',
    'contextParam', 'staticContextParams', 'operationContextParams', 'auth',
}

TARGET = pathlib.Path(__file__).resolve().parent.parent / 'src' / 'aws' / 'models'


def find_botocore():
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1]) / 'botocore'
    import botocore
    return pathlib.Path(botocore.__file__).parent


def version_of(botocore):
    text = (botocore / '__init__.py').read_text()
    return next(line.split("'")[1] for line in text.splitlines() if line.startswith('__version__'))


def read_model(botocore, service, version):
    folder = botocore / 'data' / service / version
    packed = folder / 'service-2.json.gz'
    return json.loads(gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / 'service-2.json').read_bytes())


def stripped(value, is_members=False):
    """`value` without what only clients need. Names under `members` and `shapes` are the service's own and all stay."""
    if isinstance(value, list):
        return [stripped(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: stripped(one, name in ('members', 'shapes', 'operations') and not is_members)
            for name, one in value.items() if is_members or name not in CLIENT_ONLY}


def written(model):
    def line(value):
        return json.dumps(value, separators=(',', ':'), ensure_ascii=False)

    def section(values):
        return '{\n' + ',\n'.join(f'{line(name)}:{line(values[name])}' for name in sorted(values)) + '\n}'

    return ('{"metadata":' + line(model['metadata']) + ',\n"operations":' + section(model['operations'])
            + ',\n"shapes":' + section(model['shapes']) + '}\n')


def main():
    botocore = find_botocore()
    for service, version in MODELS:
        model = stripped(read_model(botocore, service, version))
        (TARGET / f'{service}-{version}.json').write_text(written(model), encoding='utf-8')
        print(f'{service}-{version}: {len(model["operations"])} operations')
    print(f'from botocore {version_of(botocore)}')


if __name__ == '__main__':
    main()
