"""In account A: assumes the role of account B, signs a GET by hand with the session's keys and token, and answers what the API answered."""

import datetime
import hashlib
import hmac
import os
import urllib.parse

import boto3
import requests


def sign(key, message):
    return hmac.new(key, message.encode("utf-8"), hashlib.sha256).digest()


def lambda_handler(event, context):
    # Where the API answers, what is sent as its host, and what of it is called.
    url = os.environ["API_URL"] + "/hello"
    host = os.environ.get("API_HOST") or urllib.parse.urlsplit(url).netloc
    region = os.environ["API_REGION"]

    terms = {"ExternalId": os.environ["EXTERNAL_ID"]} if os.environ.get("EXTERNAL_ID") else {}
    sts = boto3.client("sts", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
    session = sts.assume_role(RoleArn=os.environ["ROLE_ARN"], RoleSessionName="AssumedRoleSession", **terms)["Credentials"]

    now = datetime.datetime.now(datetime.timezone.utc)
    amz_date = now.strftime("%Y%m%dT%H%M%SZ")
    date = now.strftime("%Y%m%d")
    headers = {"Host": host, "X-Amz-Date": amz_date, "X-Amz-Security-Token": session["SessionToken"]}

    signed_headers = "host;x-amz-date;x-amz-security-token"
    canonical_request = "\n".join([
        "GET", urllib.parse.urlsplit(url).path, "",
        f"host:{host}", f"x-amz-date:{amz_date}", f"x-amz-security-token:{session['SessionToken']}", "",
        signed_headers, hashlib.sha256(b"").hexdigest(),
    ])
    scope = f"{date}/{region}/execute-api/aws4_request"
    string_to_sign = "\n".join(["AWS4-HMAC-SHA256", amz_date, scope, hashlib.sha256(canonical_request.encode("utf-8")).hexdigest()])
    key = ("AWS4" + session["SecretAccessKey"]).encode("utf-8")
    for part in (date, region, "execute-api", "aws4_request"):
        key = sign(key, part)
    signature = sign(key, string_to_sign).hex()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={session['AccessKeyId']}/{scope}, SignedHeaders={signed_headers}, Signature={signature}"

    response = requests.get(url, headers=headers, timeout=10)
    print(response.status_code, response.text)
    return {"statusCode": response.status_code, "body": response.text}
