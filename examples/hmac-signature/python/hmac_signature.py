"""Signs what an OAuth endpoint wants signed: HMAC-SHA256 over secret, callback, client and time. Prints nothing: its event holds a secret."""

import base64
import hashlib
import hmac
import time

MEMBERS = ("callback", "clientid", "clientsecret")


def signature_of(callback, clientid, clientsecret, timestamp):
    """The signature in base64. The timestamp is text: seconds since 1970."""
    text = clientsecret + callback + clientid + timestamp
    return base64.b64encode(hmac.new(clientsecret.encode("utf-8"), text.encode("utf-8"), hashlib.sha256).digest()).decode("ascii")


def lambda_handler(event, context):
    missing = next((name for name in MEMBERS if not isinstance(event, dict) or event.get(name) is None), None)
    if missing is not None:
        raise ValueError(f"The field {missing} is missing.")
    answer = {name: str(event[name]) for name in MEMBERS}
    answer["timestamp"] = str(int(time.time()))
    answer["signature"] = signature_of(timestamp=answer["timestamp"], **{name: answer[name] for name in MEMBERS})
    return answer
