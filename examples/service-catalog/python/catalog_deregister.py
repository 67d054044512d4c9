"""Takes a service out of the catalog. Deregistering what is not there succeeds."""
import logging

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

table = boto3.resource("dynamodb", region_name="us-east-1").Table("Services")


def lambda_handler(api_parameters, context):
    """Deletes the service of that name and version."""
    name, version = api_parameters["service_name"], api_parameters["service_version"]
    logger.info("lambda_handler - service_name: %s service_version: %s", name, version)
    table.delete_item(Key={"name": name, "version": version})
