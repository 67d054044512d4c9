"""Invokes a function asynchronously with a request that is signed by hand: prints what is signed, and the answer.

usage: python3 invoke_async.py [FUNCTION]
Keys from AWS_ACCESS_KEY and AWS_SECRET_KEY, or from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. AWS_ENDPOINT_URL leads elsewhere than to AWS.
"""

import datetime
import hashlib
import hmac
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


def sign(key, message):
    return hmac.new(key, message.encode("utf-8"), hashlib.sha256).digest()


def signing_key(secret, date, region, service):
    """A key for one day, region and service."""
    return sign(sign(sign(sign(("AWS4" + secret).encode("utf-8"), date), region), service), "aws4_request")


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def main():
    access_key = os.environ.get("AWS_ACCESS_KEY") or os.environ.get("AWS_ACCESS_KEY_ID")
    secret_key = os.environ.get("AWS_SECRET_KEY") or os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        sys.exit("No access key is available.")
    region = os.environ.get("AWS_REGION", "us-east-1")
    endpoint = os.environ.get("AWS_ENDPOINT_URL", f"https://lambda.{region}.amazonaws.com").rstrip("/")
    host = urllib.parse.urlsplit(endpoint).netloc
    path = f"/2014-11-13/functions/{sys.argv[1] if len(sys.argv) > 1 else 'hello-reinvent'}/invoke-async/"
    content_type = "application/x-amz-json-1.0"
    body = "{}"
    amz_date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    date = amz_date[:8]

    # Task 1: the canonical request. The content type is among the signed headers; there is no query.
    signed_headers = "content-type;host;x-amz-date"
    canonical_headers = f"content-type:{content_type}\nhost:{host}\nx-amz-date:{amz_date}\n"
    canonical_request = "\n".join(["POST", path, "", canonical_headers, signed_headers, sha256(body)])
    print(canonical_request)

    # Task 2: the string to sign.
    scope = f"{date}/{region}/lambda/aws4_request"
    string_to_sign = "\n".join(["AWS4-HMAC-SHA256", amz_date, scope, sha256(canonical_request)])
    print(string_to_sign)

    # Task 3: the signature.
    signature = sign(signing_key(secret_key, date, region, "lambda"), string_to_sign).hex()

    # Task 4: what the request carries.
    headers = {
        "Content-Type": content_type,
        "Host": host,
        "X-Amz-Date": amz_date,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed_headers}, Signature={signature}",
    }

    print("\nBEGIN REQUEST++++++++++++++++++++++++++++++++++++")
    print(f"Request URL = {endpoint}")
    request = urllib.request.Request(endpoint + path, data=body.encode("utf-8"), headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, text = response.status, response.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode("utf-8")
    except urllib.error.URLError as error:
        sys.exit(f"{endpoint} cannot be reached: {error.reason}")
    print("\nRESPONSE++++++++++++++++++++++++++++++++++++")
    print(f"Response code: {status}\n")
    print(text)
    sys.exit(0 if status == 202 else 1)


if __name__ == "__main__":
    main()
