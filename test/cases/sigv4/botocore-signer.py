"""Signs requests with botocore: one JSON object a line in, the headers or the URL it made a line out."""

import base64
import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

now = None
botocore.auth.get_current_datetime = lambda *_args, **_kwargs: now

for line in sys.stdin:
    given = json.loads(line)
    now = datetime.datetime.fromtimestamp(given["nowMs"] / 1000, datetime.timezone.utc)
    request = AWSRequest(given["method"], given["url"], data=base64.b64decode(given["body"]))
    for name, value in given["headers"]:
        request.headers[name] = value
    credentials = Credentials(given["accessKeyId"], given["secretAccessKey"], given.get("sessionToken"))
    if given["expiresSeconds"] is None:
        signer = botocore.auth.SigV4Auth(credentials, given["service"], given["region"])
    else:
        signer = botocore.auth.SigV4QueryAuth(credentials, given["service"], given["region"], expires=given["expiresSeconds"])
    signer.add_auth(request)
    print(json.dumps({"url": request.url, "headers": list(request.headers.items())}))
