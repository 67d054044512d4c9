"""A client that signs its own requests (Signature Version 4), with long-term or short-term keys.

usage: python3 client.py URL, with URL as deploy.py prints it
"""
import datetime
import hashlib
import hmac
import json
import logging
import sys
import urllib.error
import urllib.parse
import urllib.request

from botocore.credentials import get_credentials
from botocore.session import get_session

logger = logging.getLogger()
# Loopback needs no proxy, whatever the environment says.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def sign(key, message):
    """One step of the key derivation."""
    return hmac.new(key, message.encode("utf-8"), hashlib.sha256).digest()


def get_signature_key(secret, date, region, service):
    """The key that signs one day's requests to one service of one region."""
    key = sign(("AWS4" + secret).encode("utf-8"), date)
    for part in (region, service, "aws4_request"):
        key = sign(key, part)
    return key


def create_canonical_querystring(query):
    """Every parameter encoded, in order."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    encoded = sorted((urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join("%s=%s" % pair for pair in encoded)


def sign_request(method, url, credentials, region, service, body=""):
    """Answers the URL, headers and body of a signed request. The signed host is the name without a port."""
    now = datetime.datetime.now(datetime.timezone.utc)
    amz_date, date = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    parsed = urllib.parse.urlparse(url)
    path = urllib.parse.quote(parsed.path, safe="/-_.~")
    query = create_canonical_querystring(parsed.query)

    signed = {"host": parsed.hostname, "x-amz-date": amz_date}
    if credentials.token is not None:
        signed["x-amz-security-token"] = credentials.token
    names = sorted(signed)
    canonical_request = "\n".join([method, path, query, *("%s:%s" % (name, signed[name]) for name in names), "", ";".join(names),
                                   hashlib.sha256(body.encode("utf-8")).hexdigest()])
    scope = "/".join((date, region, service, "aws4_request"))
    string_to_sign = "\n".join(["AWS4-HMAC-SHA256", amz_date, scope, hashlib.sha256(canonical_request.encode("utf-8")).hexdigest()])
    signature = hmac.new(get_signature_key(credentials.secret_key, date, region, service), string_to_sign.encode("utf-8"), hashlib.sha256).hexdigest()

    headers = {name: value for name, value in signed.items() if name != "host"}
    headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        credentials.access_key, scope, ";".join(names), signature)
    request_url = "%s://%s%s" % (parsed.scheme, parsed.netloc, parsed.path)
    return request_url + ("?" + query if query else ""), headers, body


def send(method, url, headers, body=None):
    """Status and text of the answer."""
    request = urllib.request.Request(url, method=method, headers=headers, data=None if body is None else body.encode("utf-8"))
    if body is not None:
        # urllib would call the body a form.
        request.add_header("Content-Type", "application/json")
    try:
        with opener.open(request) as response:
            return response.status, response.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8")


def signed_post(url, region, service, data, credentials=None):
    """A signed POST of data; credentials are found as botocore finds them."""
    request_url, headers, body = sign_request("POST", url, credentials or get_credentials(get_session()), region, service, body=data)
    return send("POST", request_url, headers, body)


def signed_get(url, region, service, credentials=None):
    """A signed GET; credentials are found as botocore finds them."""
    request_url, headers, _ = sign_request("GET", url, credentials or get_credentials(get_session()), region, service)
    return send("GET", request_url, headers)


def main(base):
    """What the document does: an unsigned registration that is refused, a signed one, and a lookup."""
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    service = {"service_name": "registerservice3", "service_version": "1.0", "endpoint_url": "notarealurlregister3", "ttl": "300", "status": "healthy"}
    status, _ = send("POST", base + "/catalog/register", {}, json.dumps(service))
    if status != 201:
        logger.error("Error code: %i", status)
    service.update(service_name="registerservice6", endpoint_url="notarealurlregister6")
    status, text = signed_post(base + "/catalog/register", "us-east-1", "execute-api", json.dumps(service))
    if status != 201:
        logger.error("Error code: %i", status)
        sys.exit(text)
    logger.info("Successfully registered the service.")
    status, text = send("GET", base + "/v1/catalog/registerservice6/1.0", {})
    found = json.loads(text)
    logger.info("Endpoint URL: %s", found["endpoint_url"])
    logger.info("TTL: %i", found["ttl"])
    logger.info("Status: %s", found["status"])


if __name__ == "__main__":
    main(sys.argv[1])
