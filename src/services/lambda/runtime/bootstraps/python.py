# Runs a function's handler under Python: the client of the Runtime API that managed Python runtimes have.

import json
import os
import socket
import stat
import sys
import time

API = "/2018-06-01/runtime"
MESSAGES = 4
TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
NEXT = ("GET %s/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n" % API).encode()

is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


def is_socket(descriptor):
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False


# A wrapper script may have lost what it inherited; then the address is asked, and messages are printed.
has_messages = is_socket(MESSAGES)
if is_socket(3):
    connection = socket.socket(fileno=3)
    # What the function starts has no part in the conversation.
    os.set_inheritable(3, False)
else:
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    connection = socket.create_connection((host, int(port)))
if has_messages:
    os.set_inheritable(MESSAGES, False)
connection.setblocking(True)
received = bytearray()
current_request_id = ""

try:
    memory_file = os.open("/proc/self/statm", os.O_RDONLY)
    os.set_inheritable(memory_file, False)
except OSError:
    memory_file = None
page_bytes = os.sysconf("SC_PAGE_SIZE")


def used_bytes():
    return int(os.pread(memory_file, 64, 0).split()[1]) * page_bytes if memory_file is not None else 0


# Logging: what the logging module is told becomes one log event each; what is printed, one for each line.

def print_message(text):
    if not has_messages:
        sys.stdout.write(text)
        return
    message = text.encode("utf-8", "replace")
    message = len(message).to_bytes(4, "big") + message
    while message:
        message = message[os.write(MESSAGES, message):]


class Patch:
    """Finds a module as usual, and runs a function on it once it has been loaded."""

    def __init__(self, patches):
        self.patches = patches

    def find_spec(self, name, path=None, target=None):
        patch = self.patches.get(name)
        if patch is None:
            return None
        del self.patches[name]
        import importlib.util
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            patch(module)

        spec.loader.exec_module = exec_module
        return spec


# Source: AWS's runtime interface client for Python: what a record has of its own, and what is said of it.
RESERVED_OF_RECORD = frozenset((
    "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text", "stack_info", "lineno", "funcName", "created",
    "msecs", "relativeCreated", "thread", "threadName", "processName", "process", "taskName", "aws_request_id"))


def to_json_line(record):
    import traceback
    kind, error, trace = record.exc_info or (None, None, None)
    milliseconds = int(record.created * 1000)
    line = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + ".%03dZ" % (milliseconds % 1000),
        "level": record.levelname, "message": record.getMessage(), "logger": record.name,
        "stackTrace": traceback.format_tb(trace) if kind else None, "errorType": kind.__name__ if kind else None, "errorMessage": str(error) if kind else None,
        "requestId": record.aws_request_id or None,
        "location": "%s:%s:%d" % (record.pathname, record.funcName, record.lineno) if kind else None,
    }
    line.update((key, value) for key, value in record.__dict__.items() if key not in RESERVED_OF_RECORD and key not in line)
    return json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False, default=str) + "\n"


def patch_logging(logging):
    class JsonFormatter(logging.Formatter):
        def format(self, record):
            return to_json_line(record)

    class Handler(logging.Handler):
        def emit(self, record):
            print_message(self.format(record))

    class RequestId(logging.Filter):
        def filter(self, record):
            record.aws_request_id = current_request_id
            return True

    # Source: Lambda developer guide, "Log and monitor Python Lambda functions".
    formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = Handler()
    handler.setFormatter(JsonFormatter() if is_json else formatter)
    handler.addFilter(RequestId())
    logging.getLogger().addHandler(handler)
    # Source: the same page: the level that is set for the function is the root logger's.
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if level:
        logging.getLogger().setLevel({"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level))


def patch_botocore(session):
    """Versions before 1.31 do not read AWS_ENDPOINT_URL: their calls would leave this machine."""
    import botocore
    if tuple(int(part) for part in botocore.__version__.split(".")[:2]) >= (1, 31):
        return
    create_client = session.Session.create_client

    def create_client_here(self, service_name, *positional, **named):
        # The fifth of them is endpoint_url.
        if len(positional) < 5 and named.get("endpoint_url") is None and os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
            own = "AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_").replace(" ", "_")
            named["endpoint_url"] = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
        return create_client(self, service_name, *positional, **named)

    session.Session.create_client = create_client_here


sys.meta_path.insert(0, Patch({"logging": patch_logging, "botocore.session": patch_botocore}))


class PlatformError(Exception):
    def __init__(self, error_type, message, trace=None):
        Exception.__init__(self, message)
        self.error_type = error_type
        self.trace = trace or []


def error_of(error_type, message, trace, request_id):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def trace_of(error):
    """The frames of the function: neither ours nor those of the import machinery."""
    import traceback
    frames = traceback.extract_tb(error.__traceback__)
    own = [at for at, frame in enumerate(frames) if frame.filename != __file__ and not frame.filename.startswith("<frozen importlib") and "/importlib/" not in frame.filename]
    return traceback.format_list(frames[own[0]:] if own else [])


def log_error(error_type, message, trace):
    if is_json:
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": "ERROR"}
        line.update(error_of(error_type, message, trace, current_request_id))
        print_message(json.dumps(line, ensure_ascii=False) + "\n")
        return
    head = "[ERROR] %s: %s" % (error_type, message) if message else "[ERROR] %s" % error_type
    # Observed: AWS, 04-09-2023 and 21-03-2024, recorded by localstack's test_invocation_type_event_error and test_dead_letter_queue: traces are set in
    # with spaces that do not break, and the message has no line end: a log's tail goes on in the same line.
    lines = [head, "Traceback (most recent call last):"] + [unbreakable(line) for entry in trace for line in entry.splitlines()]
    print_message("\n".join(lines) + ("" if has_messages else "\n"))


def unbreakable(line):
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


def load_handler(name):
    try:
        module_name, handler_name = name.rsplit(".", 1)
    except ValueError as error:
        raise PlatformError("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise PlatformError("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    try:
        import importlib
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise PlatformError("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, (error.text or "").strip())]
        raise PlatformError("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    handler = getattr(module, handler_name, None)
    if handler is None:
        raise PlatformError("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (handler_name, module_name))
    return handler


# Talking to the server.

def post(target, payload, error_type=None, then_next=True):
    """Posts an answer and asks for the next event in one message: the server answers in order."""
    sys.stdout.flush()
    sys.stderr.flush()
    head = "POST %s%s HTTP/1.1\r\nHost: runtime\r\nContent-Type: application/json\r\nContent-Length: %d\r\nCountersign-Memory: %d\r\n" % (
        API, target, len(payload), used_bytes())
    if error_type is not None:
        head += "Lambda-Runtime-Function-Error-Type: %s\r\n" % error_type.encode("ascii", "replace").decode().replace("\n", " ")
    connection.sendall(head.encode("latin-1") + b"\r\n" + payload + (NEXT if then_next else b""))


def receive():
    chunk = connection.recv(262144)
    if not chunk:
        # The server is gone.
        os._exit(0)
    received.extend(chunk)


def next_event():
    """Reads answers of the server up to the next event. Those without a request id only say that an answer was taken."""
    while True:
        end = received.find(b"\r\n\r\n")
        while end == -1:
            receive()
            end = received.find(b"\r\n\r\n")
        headers = {}
        for line in bytes(received[:end]).decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        total = end + 4 + int(headers["content-length"])
        while len(received) < total:
            receive()
        payload = bytes(received[end + 4:total])
        del received[:total]
        if "lambda-runtime-aws-request-id" in headers:
            return headers, payload


class Members:
    """Named values as attributes."""

    def __init__(self, **members):
        self.__dict__.update(members)

    def __repr__(self):
        return "%s([%s])" % (type(self).__name__, ",".join("%s=%s" % item for item in self.__dict__.items()))


class CognitoIdentity(Members):
    pass


class ClientContext(Members):
    pass


class LambdaContext(Members):
    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        print_message(str(message))


def context_of(headers, request_id):
    environ = os.environ
    client = headers.get("lambda-runtime-client-context")
    identity = json.loads(headers["lambda-runtime-cognito-identity"]) if "lambda-runtime-cognito-identity" in headers else {}
    client_context = None
    if client:
        told = json.loads(client)
        names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
        client_context = ClientContext(
            custom=told.get("custom"), env=told.get("env"), client=ClientContext(**{name: told["client"].get(name) for name in names}) if told.get("client") else None)
    return LambdaContext(
        aws_request_id=request_id,
        log_group_name=environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        log_stream_name=environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
        function_name=environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        memory_limit_in_mb=environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        function_version=environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
        invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn"),
        tenant_id=None,
        client_context=client_context,
        identity=CognitoIdentity(cognito_identity_id=identity.get("cognitoIdentityId"), cognito_identity_pool_id=identity.get("cognitoIdentityPoolId")),
        _epoch_deadline_time_in_ms=int(headers["lambda-runtime-deadline-ms"]))


# Source: Lambda developer guide, "Define Lambda function handler in Python": from 3.12 on, characters beyond ASCII are not escaped.
version = os.environ.get("AWS_EXECUTION_ENV", "").rsplit(".", 1)[-1]
escapes_unicode = version.isdigit() and int(version) < 12


def to_json(value):
    return json.dumps(value, ensure_ascii=escapes_unicode).encode("utf-8", "surrogatepass")


def invoke(handler, headers, payload):
    global current_request_id
    request_id = current_request_id = headers["lambda-runtime-aws-request-id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    try:
        try:
            event = json.loads(payload) if payload else {}
        except ValueError as error:
            raise PlatformError("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
        result = handler(event, context_of(headers, request_id))
        try:
            answer = to_json(result)
        except Exception as error:
            raise PlatformError("Runtime.MarshalError", "Unable to marshal response: %s" % error)
    except Exception as error:
        is_ours = isinstance(error, PlatformError)
        error_type = error.error_type if is_ours else type(error).__name__
        trace = error.trace if is_ours else trace_of(error)
        log_error(error_type, str(error), trace)
        body = json.dumps(error_of(error_type, str(error), trace, request_id), ensure_ascii=False)
        post("/invocation/%s/error" % request_id, body.encode("utf-8", "replace"), error_type)
    else:
        post("/invocation/%s/response" % request_id, answer)


def search_path():
    """Code first, then layers. Source: Lambda developer guide, "Working with layers for Python Lambda functions": in the version of the runtime."""
    layers = "%s/python" % (sys.argv[1] if len(sys.argv) > 1 else "/opt")
    del sys.argv[1:]
    version = os.environ.get("AWS_EXECUTION_ENV", "").partition("python")[2] or "%d.%d" % sys.version_info[:2]
    sys.path[0:1] = [TASK_ROOT, "%s/lib/python%s/site-packages" % (layers, version), layers]


def main():
    search_path()
    # Source: AWS's runtime interface client for Python: a crash of the interpreter leaves its traceback in the log.
    import faulthandler
    faulthandler.enable()
    os.chdir(TASK_ROOT)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True)
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        is_ours = isinstance(error, PlatformError)
        error_type = error.error_type if is_ours else type(error).__name__
        trace = error.trace if is_ours else trace_of(error)
        log_error(error_type, str(error), trace)
        post("/init/error", json.dumps(error_of(error_type, str(error), trace, "")).encode(), error_type, then_next=False)
        sys.exit(1)
    connection.sendall(NEXT.replace(b"\r\n\r\n", b"\r\nCountersign-Memory: %d\r\n\r\n" % used_bytes()))
    while True:
        invoke(handler, *next_event())


main()
