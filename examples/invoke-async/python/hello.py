"""The function that is invoked: notes the event that it got."""

import json


def lambda_handler(event, context):
    print(f"hello from {context.aws_request_id}: {json.dumps(event, separators=(',', ':'))}")
    return "hello"
