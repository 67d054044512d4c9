"""Looks a service up. The API maps an error with "NotFound" in it to 404."""
import logging

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

table = boto3.resource("dynamodb", region_name="us-east-1").Table("Services")


def lambda_handler(api_parameters, context):
    """Answers where a service is, for how long, and how it is."""
    name, version = api_parameters["service_name"], api_parameters["service_version"]
    logger.info("lambda_handler - service_name: %s service_version: %s", name, version)
    item = table.get_item(Key={"name": name, "version": version}).get("Item")
    if item is None:
        raise Exception("NotFoundException")
    return {"endpoint_url": item["endpoint_url"], "ttl": int(item["ttl"]), "status": item["status"]}
