"""Registers a service; the same name and version overwrites."""
import logging

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

table = boto3.resource("dynamodb", region_name="us-east-1").Table("Services")


def lambda_handler(api_parameters, context):
    """Stores the service under its name and version."""
    name, version = api_parameters["service_name"], api_parameters["service_version"]
    logger.info("lambda_handler - service_name: %s service_version: %s", name, version)
    table.put_item(Item={
        "name": name,
        "version": version,
        "endpoint_url": api_parameters["endpoint_url"],
        "ttl": int(api_parameters["ttl"]),
        "status": api_parameters["status"],
    })
