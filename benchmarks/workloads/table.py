"""The workloads: shops, databases, queues, batch, agents, gateways, as clusters have them. Each row is one."""

from benchmarks.workloads.model import Container, Owner, Workload

C = Container
W = Workload

NAMESPACES = ("shop", "payments", "search", "data", "media", "learning", "things", "platform", "office", "batch")
"""All of them are labelled istio-injection=enabled."""

_HTTP = {"http": 8080}
_METRICS = {"http": 8080, "metrics": 9090}
_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "prometheus.io/path": "/metrics"}
_SCRAPED_HERE = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
_CHECKSUM = {"checksum/config": "3b1c0e6f0a7d4a1e9d51f5ac3f4b8c1de0d7a6b5c4f3e2d1a0b9c8d7e6f5a4b3"}
_RESTARTED = {"kubectl.kubernetes.io/restartedAt": "2026-03-02T08:15:30Z"}
_SMALL_PROXY = {"sidecar.istio.io/proxyCPU": "50m", "sidecar.istio.io/proxyMemory": "64Mi"}
_BIG_PROXY = {
    "sidecar.istio.io/proxyCPU": "500m",
    "sidecar.istio.io/proxyMemory": "512Mi",
    "sidecar.istio.io/proxyCPULimit": "2",
    "sidecar.istio.io/proxyMemoryLimit": "1Gi",
    "sidecar.istio.io/logLevel": "info",
}
_HOLD = {"proxy.istio.io/config": "holdApplicationUntilProxyStarts: true\n"}
_TUNED = {
    "proxy.istio.io/config": "concurrency: 2\ndrainDuration: 30s\nproxyMetadata:\n  ISTIO_META_DNS_CAPTURE: 'true'\n"
}
_NOT_SQL = {"traffic.sidecar.istio.io/excludeOutboundPorts": "5432,6379"}
_ENDS = {"sidecar.istio.io/nativeSidecar": "true"}

_REPLICAS, _STATE, _DAEMONS = Owner.REPLICA_SET, Owner.STATEFUL_SET, Owner.DAEMON_SET
_JOB, _CRON, _BARE = Owner.JOB, Owner.CRON_JOB, Owner.NOBODY

_EXPORTER = C("exporter", "example.org/tools/exporter:0.9", {"metrics": 9090}, env=1, cpu="10m", memory="32Mi")
_SHIPPER = C(
    "log-shipper", "example.org/tools/shipper:3.2", env=6, cpu="20m", memory="64Mi", mounts={"logs": "/var/log/app"}
)
_MIGRATE = C(
    "migrate", "example.org/shop/migrate:7", env=4, secrets=2, command=("/migrate",), args=("up", "--wait=60s")
)
_WAIT = C("wait-for-db", "example.org/tools/wait:1", command=("sh", "-c", "until nc -z db 5432; do sleep 1; done"))
_TAIL = C("tail", "example.org/tools/tail:1", args=("-F", "/logs/app.log"), mounts={"logs": "/logs"}, sidecar=True)


def _web(name: str, env: int = 8, **more: object) -> C:
    """Return a web service as most are: HTTP probes, resources, a Secret or two."""
    words: dict[str, object] = {
        "ports": _HTTP, "env": env, "cpu": "100m", "memory": "128Mi", "liveness": "http", "readiness": "http", **more,
    }  # fmt: skip
    return C(name, f"example.org/shop/{name}:1.4.2", **words)  # type: ignore[arg-type]


WORKLOADS: tuple[W, ...] = (
    # The shop: web services behind each other.
    W("frontend", "shop", _REPLICAS, (_web("frontend", 10),), labels={"tier": "web"}, spread=True),
    W("cart", "shop", _REPLICAS, (_web("cart", 6, secrets=1), _EXPORTER), annotations=_SCRAPED),
    W(
        "checkout", "shop", _REPLICAS, (_web("checkout", 12, ports=_METRICS, secrets=3, hardened=True), _EXPORTER),
        volumes={"config": "config", "tmp": "empty"}, annotations={**_SCRAPED, **_NOT_SQL, **_CHECKSUM},
        account="checkout", anti_affinity=True,
    ),
    W("catalog", "shop", _REPLICAS, (_web("catalog", readiness="named", downward=True),), annotations=_SCRAPED_HERE),
    W("price", "shop", _REPLICAS, (_web("price", 4, liveness="grpc", readiness="grpc", ports={"grpc": 9000}),)),
    W("stock", "shop", _REPLICAS, (_web("stock", liveness="tcp", readiness="tcp"),), annotations=_SMALL_PROXY),
    W("recommend", "shop", _REPLICAS, (_web("recommend", 20, startup="http", memory="1Gi"),), annotations=_BIG_PROXY),
    W("reviews-v1", "shop", _REPLICAS, (_web("reviews"),), labels={"app": "reviews", "version": "v1"}),
    W("reviews-v2", "shop", _REPLICAS, (_web("reviews", 9),), labels={"app": "reviews", "version": "v2"}),
    W(
        "reviews-v3", "shop", _REPLICAS, (_web("reviews", 9),), labels={"app": "reviews", "version": "v3"},
        volumes={"wlp-output": "empty", "tmp": "empty"}, annotations=_RESTARTED,
    ),
    W(
        "assets", "shop", _REPLICAS,
        (C("nginx", "example.org/nginx:1.27", {"http": 80}, liveness="http", readiness="http", user=101),),
        volumes={"conf": "config", "cache": "memory"}, group=101,
    ),
    # Payments: hardened, with Secrets, hooks and HTTPS of their own.
    W(
        "gateway-api", "payments", _REPLICAS, (_web("gateway-api", 14, secrets=6, readiness="https", hook="exec"),),
        annotations=_HOLD, account="gateway", priority_class="important", grace_seconds=60,
    ),
    W("ledger", "payments", _REPLICAS, (_web("ledger", 7, secrets=2, hook="http"),), (_WAIT,), annotations=_NOT_SQL),
    W(
        "fraud", "payments", _REPLICAS, (_web("fraud", 16, secrets=3, hardened=True),), (_MIGRATE,),
        annotations={**_TUNED, **_SCRAPED_HERE}, account="fraud", node_selector={"pool": "trusted"},
    ),
    W("invoice", "payments", _REPLICAS, (_web("invoice", 5, env_from=("invoice-env",)),), pull_secret="registry"),
    W("payout", "payments", _CRON, (C("payout", "example.org/pay/payout:8", env=9, secrets=4),), annotations=_ENDS),
    W("vault-agent", "payments", _BARE, (C("agent", "example.org/vault:1", args=("agent",)),), volumes={"s": "memory"}),
    # Search: state, big heaps, probes by command.
    W(
        "search-data", "search", _STATE,
        (C("node", "example.org/search:9", {"http": 9200, "transport": 9300}, env=11, cpu="2", memory="8Gi",
           readiness="exec", startup="tcp", mounts={"data": "/usr/share/data"}, user=1000),),
        (C("sysctl", "example.org/tools/sysctl:1", command=("sysctl", "-w", "vm.max_map_count=262144"), user=0),),
        volumes={"data": "claim", "config": "config"}, group=1000, anti_affinity=True, grace_seconds=120,
        annotations={"traffic.sidecar.istio.io/excludeInboundPorts": "9300", **_CHECKSUM},
    ),
    W("search-ui", "search", _REPLICAS, (_web("search-ui", 5, ports={"http": 5601}),)),
    W("indexer", "search", _REPLICAS, (C("indexer", "example.org/indexer:2", env=18, secrets=2, cpu="1"), _EXPORTER)),
    W("crawler", "search", _REPLICAS, (C("crawler", "example.org/crawler:5", env=3, args=("--depth=3", "--polite")),)),
    W("suggest", "search", _REPLICAS, (_web("suggest", 2),), labels={"sidecar.istio.io/inject": "true"}),
    # Data: databases, caches and queues.
    W(
        "postgres", "data", _STATE,
        (C("postgres", "example.org/postgres:17", {"sql": 5432}, env=5, secrets=2, cpu="1", memory="2Gi",
           liveness="exec", readiness="exec", hook="exec", mounts={"data": "/var/lib/postgresql"}, user=999),
         _EXPORTER),
        (C("chown", "example.org/tools/chown:1", command=("chown", "-R", "999", "/data"), mounts={"data": "/data"}),),
        volumes={"data": "claim", "init": "config"}, group=999, annotations=_SCRAPED, anti_affinity=True,
    ),
    W(
        "redis", "data", _STATE,
        (C("redis", "example.org/redis:7", {"redis": 6379}, cpu="200m", memory="512Mi", liveness="exec",
           readiness="tcp", mounts={"data": "/data"}),),
        volumes={"data": "claim"}, annotations={"traffic.sidecar.istio.io/includeInboundPorts": "6379"},
    ),
    W(
        "kafka", "data", _STATE,
        (C("broker", "example.org/kafka:4", {"client": 9092, "inner": 9093, "metrics": 9404}, env=34, downward=True,
           cpu="2", memory="6Gi", readiness="tcp", startup="tcp", hook="exec", mounts={"log": "/var/lib/kafka"}),),
        volumes={"log": "claim", "jaas": "secret"}, annotations={**_BIG_PROXY, **_HOLD}, grace_seconds=300,
    ),
    W("rabbit", "data", _STATE, (C("rabbit", "example.org/rabbit:4", {"amqp": 5672, "http": 15672}, env=4, secrets=2,
                                   liveness="exec", readiness="exec"),), volumes={"data": "claim"}),
    W("mongo", "data", _STATE, (C("mongo", "example.org/mongo:8", {"mongo": 27017}, secrets=2, readiness="exec"),),
      volumes={"data": "claim", "key": "secret"}, account="mongo"),
    W("connect", "data", _REPLICAS, (C("connect", "example.org/connect:4", {"http": 8083}, env=41, readiness="http"),)),
    W("pgbouncer", "data", _REPLICAS, (C("bouncer", "example.org/pgbouncer:1", {"sql": 6432}, env=6, secrets=1,
                                         readiness="tcp"), _EXPORTER), annotations={**_SCRAPED, **_SMALL_PROXY}),
    W("backup", "data", _CRON, (C("backup", "example.org/backup:3", env=7, secrets=3, mounts={"tmp": "/tmp"}),),
      volumes={"tmp": "empty"}, annotations=_ENDS),
    # Media: several containers that share volumes.
    W(
        "transcode", "media", _JOB,
        (C("transcode", "example.org/transcode:6", env=8, cpu="4", memory="8Gi", mounts={"work": "/work"}),),
        (C("fetch", "example.org/tools/fetch:1", args=("s3://in/movie", "/work"), mounts={"work": "/work"}),),
        volumes={"work": "empty"}, annotations=_ENDS,
    ),
    W("thumbnails", "media", _REPLICAS, (_web("thumbnails", 5), _SHIPPER), volumes={"logs": "empty"}),
    W("player", "media", _REPLICAS, (_web("player", 11, readiness="named"), _SHIPPER, _EXPORTER),
      volumes={"logs": "empty"}, annotations=_SCRAPED, spread=True),
    W("live", "media", _REPLICAS, (_web("live", 9, ports={"http": 8080, "rtmp": 1935, "hls": 8081}), _SHIPPER),
      (_TAIL,), volumes={"logs": "empty"}),
    W("licences", "media", _REPLICAS, (_web("licences", 3, hardened=True),), account="licences", mounts_token=False),
    # Learning: accelerators, long starts, big environments.
    W("model-server", "learning", _REPLICAS, (_web("model-server", 22, startup="http", cpu="8", memory="32Gi"),),
      volumes={"models": "claim", "shm": "memory"}, node_selector={"accelerator": "a"}, annotations=_TUNED),
    W("notebook", "learning", _STATE, (C("notebook", "example.org/notebook:5", {"http": 8888}, env=13, cpu="1",
                                         memory="4Gi", liveness="http"),), volumes={"home": "claim", "shm": "memory"}),
    W("train", "learning", _JOB, (C("train", "example.org/train:2", env=26, cpu="16", memory="64Gi",
                                    args=("--epochs=30", "--batch=256", "--amp")),),
      volumes={"data": "claim", "shm": "memory"}, annotations=_ENDS, priority_class="low"),
    W("features", "learning", _REPLICAS, (_web("features", 31, secrets=4, downward=True), _EXPORTER)),
    W("label-ui", "learning", _REPLICAS, (_web("label-ui", 4),), volumes={"media": "claim"}),
    # Things: ingestion, of which the API is spoken in gRPC.
    W("ingest", "things", _REPLICAS, (_web("ingest", 15, ports={"grpc": 9000, "http": 8080}, liveness="grpc"),),
      annotations={"traffic.sidecar.istio.io/includeOutboundIPRanges": "10.0.0.0/8,172.16.0.0/12"}),
    W("mqtt", "things", _STATE, (C("mqtt", "example.org/mqtt:5", {"mqtt": 1883, "mqtts": 8883, "http": 18083},
                                   env=24, liveness="http", readiness="tcp"),), volumes={"data": "claim"}),
    W("devices", "things", _REPLICAS, (_web("devices", 6, secrets=1), _SHIPPER, _EXPORTER), volumes={"logs": "empty"}),
    W("firmware", "things", _CRON, (C("firmware", "example.org/firmware:1", env=5),), annotations=_ENDS),
    # The platform: agents with long environments, one on each node, and what holds many containers.
    W(
        "trace-agent", "platform", _DAEMONS,
        (C("agent", "example.org/agent:7", {"otlp": 4317, "trace": 8126}, env=96, secrets=1, downward=True,
           cpu="200m", memory="256Mi", liveness="http", readiness="http", startup="http",
           mounts={"proc": "/host/proc", "config": "/etc/agent"}),
         C("process-agent", "example.org/agent:7", env=71, downward=True, mounts={"proc": "/host/proc"})),
        volumes={"proc": "host", "config": "config"}, account="agent", annotations=_CHECKSUM,
    ),
    W("collector", "platform", _DAEMONS, (C("collector", "example.org/otel:0.120", {"grpc": 4317, "http": 4318}, env=14,
                                            downward=True, liveness="http", readiness="http"),),
      volumes={"config": "config"}, annotations=_CHECKSUM),
    W("ci-runner", "platform", _REPLICAS, (C("runner", "example.org/runner:2", env=130, secrets=5, cpu="1"),),
      volumes={"work": "empty"}),
    W(
        "suite", "platform", _REPLICAS,
        tuple(_web(f"part-{number}", 6, ports={f"http-{number}": 8100 + number}) for number in range(7)),
        volumes={"config": "config"}, annotations=_BIG_PROXY,
    ),
    W("dns-cache", "platform", _DAEMONS, (C("cache", "example.org/dns:1", {"dns": 5353}, liveness="http"),)),
    W("ingress", "platform", _REPLICAS, (C("istio-proxy", "auto", {"http2": 8080, "https": 8443}),),
      labels={"istio": "ingress"}, annotations={"inject.istio.io/templates": "gateway"}, account="ingress"),
    W("egress", "platform", _REPLICAS, (C("istio-proxy", "auto", {"https": 8443}, env=2, cpu="100m", memory="128Mi"),),
      labels={"istio": "egress"}, annotations={"inject.istio.io/templates": "gateway"}),
    W("dashboards", "platform", _REPLICAS, (_web("dashboards", 17, secrets=3), C("reload", "example.org/reload:1")),
      volumes={"config": "config", "data": "claim"}, account="dashboards"),
    # The office: what was bought, and is older than the cluster.
    W("wiki", "office", _REPLICAS, (_web("wiki", 28, secrets=2, readiness="named", startup="named", memory="4Gi"),),
      volumes={"data": "claim"}, annotations={"sidecar.istio.io/rewriteAppHTTPProbers": "true"}),
    W("tickets", "office", _STATE, (_web("tickets", 19, secrets=2, memory="6Gi", hook="exec"),),
      volumes={"data": "claim"}, annotations={"sidecar.istio.io/rewriteAppHTTPProbers": "false"}),
    W("mail", "office", _REPLICAS, (C("mail", "example.org/mail:2", {"smtp": 25, "imap": 143}, env=9, secrets=1),),
      annotations={"traffic.sidecar.istio.io/excludeInboundPorts": "25"}, volumes={"spool": "claim"}),
    W("legacy", "office", _REPLICAS, (C("tomcat", "example.org/tomcat:9", {"http": 8080, "jmx": 9999}, env=58, cpu="1",
                                        memory="3Gi", liveness="tcp", command=("catalina.sh", "run")),),
      annotations={"sidecar.istio.io/userVolume": '[{"name":"ca","secret":{"secretName":"ca"}}]',
                   "sidecar.istio.io/userVolumeMount": '[{"name":"ca","mountPath":"/etc/ca","readOnly":true}]'}),
    # Batch.
    W("report", "batch", _CRON, (C("report", "example.org/report:4", env=12, secrets=2),), annotations=_ENDS),
    W("import", "batch", _JOB, (C("import", "example.org/import:4", env=9, args=("--since=yesterday",)),), (_WAIT,)),
    W("reindex", "batch", _JOB, (C("reindex", "example.org/reindex:1", env=3, cpu="2", memory="4Gi"),), (_MIGRATE,)),
    W("debug", "batch", _BARE, (C("shell", "example.org/shell:1", command=("sleep", "3600")),), grace_seconds=1),
)  # fmt: skip
