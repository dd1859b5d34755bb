"""What is expected of each function of the template. A new function is entered in each table."""

from __future__ import annotations

from typing import Any

Grant = tuple[str, str]
"""An action and the resource that it is allowed on."""

# A transaction is authorised as the writes that it is made of.
TABLE_ACTIONS = {
    "RunsTable": ("GetItem", "PutItem", "UpdateItem"),
    "SessionsTable": ("GetItem", "PutItem", "UpdateItem", "Query"),
    "RunEventsTable": ("PutItem", "Query"),
    "LimitsTable": ("PutItem", "UpdateItem"),
}
RUN_GRANTS = {
    (f"dynamodb:{action}", f"{table}.Arn") for table, actions in TABLE_ACTIONS.items() for action in actions
} | {
    ("s3:GetObject", "${Bucket.Arn}/*"),
    ("s3:PutObject", "${Bucket.Arn}/*"),
}
KEEP_MEMORIES = {
    (f"dynamodb:{action}", "MemoriesTable.Arn")
    for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")
} | {("s3:DeleteObject", "${Bucket.Arn}/memories/*")}
ENQUEUE = {("sqs:SendMessage", "RunsQueue.Arn"), ("sqs:GetQueueAttributes", "RunsQueue.Arn")}
DEQUEUE = {(f"sqs:{action}", "RunsQueue.Arn") for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
ACTIVE_RUNS = ("dynamodb:Query", "${RunsTable.Arn}/index/by_session")
SWEEP = ENQUEUE | {
    ("dynamodb:Query", "${RunsTable.Arn}/index/due"),
    ("dynamodb:Query", "${SessionsTable.Arn}/index/expiring"),
    ("dynamodb:BatchGetItem", "SessionsTable.Arn"),
}
REMOVE = (
    {(f"dynamodb:{action}", "RunEventsTable.Arn") for action in ("BatchWriteItem", "DeleteItem")}
    | {(f"dynamodb:{action}", "RunsTable.Arn") for action in ("Query", "BatchWriteItem", "DeleteItem")}
    | {("dynamodb:DeleteItem", "SessionsTable.Arn"), ACTIVE_RUNS}
    | {("s3:ListBucket", "Bucket.Arn"), ("s3:DeleteObject", "${Bucket.Arn}/*")}
)
KEEP_SESSIONS = (
    {("dynamodb:Query", f"${{SessionsTable.Arn}}/index/by_{attribute}") for attribute in ("kind", "component", "user")}
    | {ACTIVE_RUNS, ("dynamodb:BatchGetItem", "SessionsTable.Arn")}
    | {("sqs:SendMessage", "RunsQueue.Arn")}
)
MANAGEMENT_API = (
    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/v1/POST/@connections/*"
)
FOLLOW = {
    ("dynamodb:Query", "RunsTable.Arn"),
    ("dynamodb:DeleteItem", "RunsTable.Arn"),
    ("dynamodb:UpdateItem", "ConnectionsTable.Arn"),
    ("execute-api:ManageConnections", MANAGEMENT_API),
}
LIST = {
    ("dynamodb:Query", f"${{MemoriesTable.Arn}}/index/{index}") for index in ("by_time", "by_id", "by_change", "users")
}
CLOSE = {("execute-api:ManageConnections", MANAGEMENT_API.replace("/POST/", "/DELETE/"))}
CLOSE_OVERDUE = CLOSE | {
    ("dynamodb:Query", "${ConnectionsTable.Arn}/index/unauthenticated"),
    ("dynamodb:DeleteItem", "ConnectionsTable.Arn"),
}
CONNECT = {(f"dynamodb:{action}", "ConnectionsTable.Arn") for action in ("GetItem", "PutItem", "DeleteItem")} | {
    ("lambda:InvokeFunction", "WebSocketFunction.Arn")
}
READ_ACCOUNTS = {("dynamodb:GetItem", "AccountsTable.Arn")}
READ_KEY = {("secretsmanager:GetSecretValue", "SecuritySecret.Id")} | READ_ACCOUNTS
KEEP_ACCOUNTS = {(f"dynamodb:{action}", "AccountsTable.Arn") for action in ("PutItem", "UpdateItem", "DeleteItem")} | {
    ("dynamodb:Query", "${AccountsTable.Arn}/index/listed")
}
READ_USAGE = {("dynamodb:Query", "${RunsTable.Arn}/index/usage")}
COMPONENTS_SECRET = (
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/components"
)
READ_VARIABLES = {("secretsmanager:GetSecretValue", COMPONENTS_SECRET + suffix) for suffix in ("", "-??????")}
READ_PAST_SESSIONS = {
    ("dynamodb:BatchGetItem", "SessionsTable.Arn"),
    ("dynamodb:Query", "${SessionsTable.Arn}/index/by_kind"),
    ("dynamodb:Query", "${SessionsTable.Arn}/index/by_user"),
}
RUN_COMPONENTS = READ_VARIABLES | KEEP_MEMORIES | READ_PAST_SESSIONS
READ_EVENTS = {
    ("dynamodb:GetItem", "RunsTable.Arn"),
    ("dynamodb:Query", "RunEventsTable.Arn"),
    ("s3:GetObject", "${Bucket.Arn}/events/*"),
}
START_RUNS = READ_KEY | RUN_GRANTS | ENQUEUE | {ACTIVE_RUNS}

GRANTS: dict[str, set[Grant]] = {
    "ConfigFunction": READ_KEY,
    "ControlFunction": READ_KEY | RUN_GRANTS | KEEP_SESSIONS | KEEP_MEMORIES | LIST | KEEP_ACCOUNTS | READ_USAGE,
    "FollowFunction": READ_KEY | READ_EVENTS,
    "AgentsFunction": START_RUNS | RUN_COMPONENTS,
    "TeamsFunction": START_RUNS | RUN_COMPONENTS,
    "WorkflowsFunction": START_RUNS | FOLLOW | RUN_COMPONENTS,
    "WebSocketFunction": START_RUNS | FOLLOW | CONNECT | CLOSE,
    "WorkerFunction": RUN_GRANTS
    | DEQUEUE
    | REMOVE
    | FOLLOW
    | READ_ACCOUNTS
    | RUN_COMPONENTS
    | {("sqs:SendMessage", "RunsQueue.Arn")},
    "SweeperFunction": RUN_GRANTS | SWEEP | REMOVE | CLOSE_OVERDUE,
}
"""What a function may do besides writing its log and its traces."""

EVERYWHERE = {"STACK_NAME", "SECURITY_KEY_SECRET", "AGENTOS_MODEL", "CORS_ORIGINS", "LOG_LEVEL"}
LOG = {"RUNS_TABLE": "RunsTable", "EVENTS_TABLE": "RunEventsTable", "BUCKET": "Bucket"}
RETENTION = {"EVENTS_TTL_SECONDS": 86400, "SESSIONS_RETENTION_DAYS": 0, "RUNS_RETENTION_DAYS": 0}
KEPT = {"SESSIONS_TABLE": "SessionsTable", "LIMITS_TABLE": "LimitsTable"}
MEMORIES = {"MEMORIES_TABLE": "MemoriesTable"}
STORE = LOG | KEPT | RETENTION
STORE |= {"LONGEST_RUN_SECONDS": 86400}
EXECUTION = {"MEDIA_PRIVATE_HOSTS": "refuse", "MAX_SLICES": 200}
COMPONENTS = MEMORIES | {"COMPONENTS_SECRET": COMPONENTS_SECRET, "LOAD_COMPONENTS": "at-start"}
QUEUE = {"RUNS_QUEUE_URL": "RunsQueue"}
STARTED = QUEUE | {"QUEUE_LIMIT": 1000}
CONNECTIONS = {
    "CONNECTIONS_TABLE": "ConnectionsTable",
    "WEBSOCKET_MANAGEMENT_URL": "https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1",
}
ACCOUNTS = {"ACCOUNTS_TABLE": "AccountsTable"}
FAN_OUT = CONNECTIONS | ACCOUNTS | {"WEBSOCKET_TEXT_INTERVAL_MS": 200}
OUR_LOOP = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bin/stream-wrapper"}

VARIABLES: dict[str, dict[str, Any]] = {
    "ConfigFunction": {
        **OUR_LOOP,
        **ACCOUNTS,
        "WEBSOCKET_URL": "wss://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1",
    },
    "ControlFunction": STORE | MEMORIES | ACCOUNTS | QUEUE | OUR_LOOP,
    "FollowFunction": LOG | ACCOUNTS | OUR_LOOP,
    "AgentsFunction": STORE | ACCOUNTS | EXECUTION | COMPONENTS | STARTED | OUR_LOOP,
    "TeamsFunction": STORE | ACCOUNTS | EXECUTION | COMPONENTS | STARTED | OUR_LOOP,
    "WorkflowsFunction": STORE | EXECUTION | COMPONENTS | STARTED | OUR_LOOP | FAN_OUT,
    "WebSocketFunction": STORE | ACCOUNTS | STARTED | CONNECTIONS | {"WEBSOCKET_SOURCE_LIMIT": 300},
    "WorkerFunction": STORE | EXECUTION | COMPONENTS | QUEUE | FAN_OUT | OUR_LOOP,
    "SweeperFunction": STORE | QUEUE | CONNECTIONS,
}
"""What a function's environment has besides ``EVERYWHERE``, in a stack without parameters."""

ALL_LAYERS = ["Engine", "AgentosLambda", "Components"]
WITHOUT_ENGINE = ["AgentosLambda", "Components"]

LAYERS: dict[str, list[str]] = {
    "ConfigFunction": WITHOUT_ENGINE,
    "ControlFunction": WITHOUT_ENGINE,
    "FollowFunction": WITHOUT_ENGINE,
    "AgentsFunction": ALL_LAYERS,
    "TeamsFunction": ALL_LAYERS,
    "WorkflowsFunction": ALL_LAYERS,
    "WebSocketFunction": ALL_LAYERS,
    "WorkerFunction": ALL_LAYERS,
    "SweeperFunction": WITHOUT_ENGINE,
}
"""What executes no component has no engine. Two of the five that Lambda allows stay free, and one
where tokens are taken."""

TOKENS: dict[str, Any] = {
    "JWT_ISSUER": "https://issuer.example",
    "JWT_VERIFICATION_KEY": "",
    "JWT_AUDIENCE": "agentos",
    "JWT_AUDIENCE_CLAIM": "aud",
    "JWT_ALGORITHMS": "RS256",
    "JWT_SCOPES_CLAIM": "scopes",
    "JWT_SCOPE_PREFIX": "",
    "JWT_LIMITS_CLAIM": "agentos_limits",
    "JWT_REQUIRE_EXPIRY": "on",
    "AUTH_MODE": "jwt",
    "USER_ISOLATION": "on",
}
"""What functions that clients call know besides, in a stack that takes the tokens of an issuer."""

MEMORY: dict[str, int] = {
    "ConfigFunction": 1024,
    "ControlFunction": 1024,
    "FollowFunction": 512,
    "AgentsFunction": 1024,
    "TeamsFunction": 1024,
    "WorkflowsFunction": 1024,
    "WebSocketFunction": 1024,
    "WorkerFunction": 1024,
    "SweeperFunction": 256,
}
"""MiB, in a stack without parameters."""

TIMEOUTS: dict[str, int] = {
    "ConfigFunction": 15,
    "ControlFunction": 29,
    "FollowFunction": 900,
    "AgentsFunction": 900,
    "TeamsFunction": 900,
    "WorkflowsFunction": 900,
    "WebSocketFunction": 29,
    "WorkerFunction": 900,
    "SweeperFunction": 60,
}
"""Seconds."""

BOUNDS: dict[str, int | None] = {
    "ConfigFunction": None,
    "ControlFunction": None,
    "FollowFunction": None,
    "AgentsFunction": None,
    "TeamsFunction": None,
    "WorkflowsFunction": None,
    "WebSocketFunction": None,
    "WorkerFunction": 5,
    "SweeperFunction": None,
}
"""How many invocations of a function there may be at the same time; None where only the account's limit counts."""

RESERVED = {
    "ConfigFunction": None,
    "ControlFunction": "ControlConcurrency",
    "FollowFunction": "RunConcurrency",
    "AgentsFunction": "RunConcurrency",
    "TeamsFunction": "RunConcurrency",
    "WorkflowsFunction": "RunConcurrency",
    "WebSocketFunction": "ControlConcurrency",
    "WorkerFunction": None,
    "SweeperFunction": 2,
}
"""What is reserved for a function once anything is: a parameter's value, or a number."""
