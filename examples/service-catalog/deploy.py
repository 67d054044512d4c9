"""Deploys the catalog with boto3: table, role, three Python functions, API.

usage: python3 deploy.py [--swagger FILE] [--stage NAME]

An endpoint other than AWS comes from AWS_ENDPOINT_URL (boto3 1.28 and later read it by themselves; older ones get it here).
"""
import argparse
import io
import json
import os
import sys
import tempfile
import time
import zipfile

import boto3
from botocore.exceptions import ClientError

HERE = os.path.dirname(os.path.abspath(__file__))
REGION = "us-east-1"
ENDPOINT = os.environ.get("AWS_ENDPOINT_URL")
RUNTIME = "python3.12"


def client(service):
    """A client of the service, on the endpoint that the environment names."""
    return boto3.client(service, region_name=REGION, endpoint_url=ENDPOINT)


def create_deployment_package(package_file_name, file_names):
    """Packs files into a ZIP as Lambda wants it; the same files give the same archive."""
    with zipfile.ZipFile(package_file_name, "w", zipfile.ZIP_DEFLATED) as package:
        for file_name in file_names:
            entry = zipfile.ZipInfo(os.path.basename(file_name), date_time=(2000, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            with open(file_name, "rb") as source:
                package.writestr(entry, source.read())


def create_lambda_function(package_file_name, function_name, role_arn, handler, description, account_number):
    """Creates the function, or updates its code, and lets the account's APIs invoke it. Answers its ARN."""
    functions = client("lambda")
    with open(package_file_name, "rb") as package:
        code = package.read()
    if absent_when("ResourceNotFoundException", functions.get_function, FunctionName=function_name) is not None:
        # The function may have come from the TypeScript scripts: runtime and handler follow the code.
        functions.update_function_configuration(FunctionName=function_name, Runtime=RUNTIME, Handler=handler, Role=role_arn)
        functions.get_waiter("function_updated").wait(FunctionName=function_name)
        arn = functions.update_function_code(FunctionName=function_name, ZipFile=code)["FunctionArn"]
        functions.get_waiter("function_updated").wait(FunctionName=function_name)
    else:
        arn = with_patience(functions.create_function, FunctionName=function_name, Runtime=RUNTIME, Role=role_arn, Handler=handler,
                            Description=description, Timeout=10, Code={"ZipFile": code})["FunctionArn"]
        functions.get_waiter("function_active").wait(FunctionName=function_name)
    absent_when("ResourceConflictException", functions.add_permission, FunctionName=function_name, StatementId="apigateway",
                Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
                SourceArn="arn:aws:execute-api:%s:%s:*/*/*/*" % (REGION, account_number))
    return arn


def get_function_arn(function_name):
    """The ARN of a function that exists."""
    return client("lambda").get_function(FunctionName=function_name)["Configuration"]["FunctionArn"]


def replace_instances_in_file(from_file, to_file, text, replacement):
    """Copies a file with every instance of a text replaced. Both may be the same file."""
    with open(from_file) as source:
        contents = source.read()
    with open(to_file, "w") as target:
        target.write(contents.replace(text, replacement))


def update_api(swagger_file):
    """Puts a Swagger file into the API that carries its title, or into a new one; answers the API's id.

    The file is imported twice, with its base path ignored and then merged with it prepended, so that the API answers at both.
    """
    apis = client("apigateway")
    with open(swagger_file, "rb") as source:
        body = source.read()
    title = json.loads(body)["info"]["title"]
    known = [api["id"] for page in apis.get_paginator("get_rest_apis").paginate() for api in page["items"] if api["name"] == title]
    if known:
        api_id = known[0]
        apis.put_rest_api(restApiId=api_id, mode="overwrite", parameters={"basepath": "ignore"}, body=io.BytesIO(body))
    else:
        api_id = apis.import_rest_api(parameters={"basepath": "ignore"}, body=io.BytesIO(body))["id"]
    apis.put_rest_api(restApiId=api_id, mode="merge", parameters={"basepath": "prepend"}, body=io.BytesIO(body))
    return api_id


def deploy_api(api_id, swagger_file, stage_name):
    """Deploys the API as it stands to a stage."""
    with open(swagger_file) as source:
        version = json.load(source)["info"]["version"]
    client("apigateway").create_deployment(restApiId=api_id, stageName=stage_name, description="version %s" % version)


def create_table(name, hash_key, range_key):
    """Creates the table unless it is there. Both keys are text."""
    tables = client("dynamodb")
    if absent_when("ResourceNotFoundException", tables.describe_table, TableName=name) is None:
        tables.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                            KeySchema=[{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}],
                            AttributeDefinitions=[{"AttributeName": hash_key, "AttributeType": "S"}, {"AttributeName": range_key, "AttributeType": "S"}])
        tables.get_waiter("table_exists").wait(TableName=name)
    return tables.describe_table(TableName=name)["Table"]["TableArn"]


def create_role(name, policy_name, policy):
    """Creates the role unless it is there, and gives it the policy. Lambda may assume it. Answers its ARN."""
    roles = client("iam")
    role = absent_when("NoSuchEntity", roles.get_role, RoleName=name)
    if role is None:
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        role = roles.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    roles.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(policy))
    return role["Role"]["Arn"]


def absent_when(code, call, **parameters):
    """The call's answer, or None when it fails with that code."""
    try:
        return call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] == code:
            return None
        raise


def with_patience(call, **parameters):
    """On AWS a new role takes some seconds until Lambda can assume it."""
    for attempt in range(10):
        try:
            return call(**parameters)
        except ClientError as error:
            if "cannot be assumed" not in str(error) or attempt == 9:
                raise
            time.sleep(1)


def main():
    """Deploys everything and prints the API's address on AWS, or behind the endpoint."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--swagger", default=os.path.join(HERE, "swagger.json"))
    arguments.add_argument("--stage", default="dev")
    options = arguments.parse_args()
    account_number = client("sts").get_caller_identity()["Account"]
    table_arn = create_table("Services", "name", "version")
    role_arn = create_role("service-catalog", "catalog", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], "Resource": table_arn},
        {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
         "Resource": "arn:aws:logs:%s:%s:*" % (REGION, account_number)}]})
    with tempfile.TemporaryDirectory() as scratch:
        swagger, with_arns = options.swagger, os.path.join(scratch, "swagger_with_arn.json")
        for name, description in (("catalog_service", "Looking a service up."), ("catalog_register", "Registering a service."),
                                  ("catalog_deregister", "Deregistering a service.")):
            package = os.path.join(scratch, name + ".zip")
            create_deployment_package(package, [os.path.join(HERE, "python", name + ".py")])
            create_lambda_function(package, name, role_arn, name + ".lambda_handler", description, account_number)
            replace_instances_in_file(swagger, with_arns, "$%sARN$" % name, get_function_arn(name))
            swagger = with_arns
        api_id = update_api(with_arns)
        deploy_api(api_id, with_arns, options.stage)
    base = "%s/_aws/execute-api/%s" % (ENDPOINT.rstrip("/"), api_id) if ENDPOINT else "https://%s.execute-api.%s.amazonaws.com" % (api_id, REGION)
    print("the catalog is at %s/%s" % (base, options.stage))


if __name__ == "__main__":
    sys.exit(main())
