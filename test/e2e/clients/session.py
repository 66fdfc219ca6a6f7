"""A session of Debian's python3-kubernetes against a cluster: session.py KUBECONFIG. Prints `session complete` at its end."""
import json
import sys
import tempfile
import time

from kubernetes import client, config, dynamic, stream, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock

NAMESPACE = "default"
GROUP = "clients.example.com"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "py-server", "labels": {"app": "py-server"}},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "main",
                "image": "k8s-demo:0.0.1-SNAPSHOT",
                "command": ["sh", "-c", "echo started; exec /bin/demo"],
            }
        ],
    },
}
SEVERAL = """
apiVersion: v1
kind: Service
metadata: {name: py-several}
spec:
  selector: {app: py-several}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: py-several}
spec:
  replicas: 0
  selector: {matchLabels: {app: py-several}}
  template:
    metadata: {labels: {app: py-several}}
    spec:
      containers: [{name: main, image: busybox:test}]
"""


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"got {actual!r}, not {wanted!r}")


def refused(call, status, reason):
    """Runs what the server must refuse."""
    try:
        call()
    except ApiException as error:
        expect(error.status, status)
        if f'"reason":"{reason}"' not in str(error.body):
            raise AssertionError(f"no {reason} in {error.body}") from error
        return str(error.body)
    raise AssertionError(f"not refused with {status}")


def eventually(what, check):
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within 100 s")


def pods(core):
    """Create, watch, exec, logs, every patch, list, delete."""
    version = core.list_namespaced_pod(NAMESPACE).metadata.resource_version
    core.create_namespaced_pod(NAMESPACE, POD)
    phases = []
    for event in watch.Watch().stream(
        core.list_namespaced_pod, NAMESPACE, resource_version=version, label_selector="app=py-server", timeout_seconds=60
    ):
        phases.append((event["type"], event["object"].status.phase))
        conditions = event["object"].status.conditions or []
        if any(one.type == "Ready" and one.status == "True" for one in conditions):
            break
    expect(phases[0], ("ADDED", "Pending"))
    expect(phases[-1], ("MODIFIED", "Running"))

    text = stream.stream(
        core.connect_get_namespaced_pod_exec, "py-server", NAMESPACE, command=["cat", "/etc/image-version"], stdout=True
    )
    expect(text, "0.0.1-SNAPSHOT\n")
    session = stream.stream(
        core.connect_get_namespaced_pod_exec,
        "py-server",
        NAMESPACE,
        command=["sh", "-c", "read word; echo got $word; exit 3"],
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    session.write_stdin("hello\n")
    session.run_forever(timeout=60)
    expect(session.read_stdout(), "got hello\n")
    expect(session.returncode, 3)
    eventually("its log", lambda: core.read_namespaced_pod_log("py-server", NAMESPACE) == "started\n")
    lines = watch.Watch().stream(core.read_namespaced_pod_log, "py-server", NAMESPACE, follow=True)
    expect(next(iter(lines)), "started")

    merged = core.patch_namespaced_pod("py-server", NAMESPACE, {"metadata": {"labels": {"by": "strategic"}}})
    expect(merged.metadata.labels, {"app": "py-server", "by": "strategic"})
    patched = core.patch_namespaced_pod(
        "py-server", NAMESPACE, [{"op": "replace", "path": "/metadata/labels/by", "value": "json"}]
    )
    expect(patched.metadata.labels["by"], "json")
    stale = core.read_namespaced_pod("py-server", NAMESPACE)
    core.patch_namespaced_pod("py-server", NAMESPACE, {"metadata": {"labels": {"by": "later"}}})
    refused(lambda: core.replace_namespaced_pod("py-server", NAMESPACE, stale), 409, "Conflict")
    refused(lambda: core.create_namespaced_pod(NAMESPACE, POD), 409, "AlreadyExists")
    found = core.list_namespaced_pod(NAMESPACE, field_selector="metadata.name=py-server")
    expect([pod.metadata.name for pod in found.items], ["py-server"])
    core.delete_namespaced_pod("py-server", NAMESPACE, grace_period_seconds=0)
    eventually("deleted", lambda: not core.list_namespaced_pod(NAMESPACE, label_selector="app=py-server").items)
    refused(lambda: core.read_namespaced_pod("py-server", NAMESPACE), 404, "NotFound")


def pages(core):
    for number in range(5):
        core.create_namespaced_config_map(
            NAMESPACE, {"metadata": {"name": f"py-page-{number}", "labels": {"page": "python"}}}
        )
    found, token = [], None
    while True:
        page = core.list_namespaced_config_map(NAMESPACE, label_selector="page=python", limit=2, _continue=token)
        found += [one.metadata.name for one in page.items]
        token = page.metadata._continue
        if not token:
            break
    expect(found, [f"py-page-{number}" for number in range(5)])
    core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="page=python")
    expect(core.list_namespaced_config_map(NAMESPACE, label_selector="page=python").items, [])


def several(api):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(SEVERAL)
        file.flush()
        utils.create_from_yaml(api, file.name)
        try:
            utils.create_from_yaml(api, file.name)
            raise AssertionError("created twice")
        except utils.FailToCreateError as error:
            expect([one.status for one in error.api_exceptions], [409, 409])
    apps = client.AppsV1Api(api)
    scale = apps.patch_namespaced_deployment_scale("py-several", NAMESPACE, {"spec": {"replicas": 1}}, dry_run="All")
    expect(scale.spec.replicas, 1)
    expect(apps.read_namespaced_deployment_scale("py-several", NAMESPACE).spec.replicas or 0, 0)
    apps.delete_namespaced_deployment("py-several", NAMESPACE, propagation_policy="Foreground")


def dynamic_client(api):
    every = dynamic.DynamicClient(api)
    maps = every.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "py-applied"}, "data": {"key": "a"}}
    apply = {"namespace": NAMESPACE, "name": "py-applied"}
    first = maps.server_side_apply(body=json.dumps(body), field_manager="one", **apply)
    expect(first.data.key, "a")
    body["data"]["key"] = "b"
    refused(lambda: maps.server_side_apply(body=json.dumps(body), field_manager="two", **apply), 409, "Conflict")
    second = maps.server_side_apply(body=json.dumps(body), field_manager="two", force_conflicts=True, **apply)
    expect([one.manager for one in second.metadata.managedFields], ["two"])
    merged = maps.patch(
        body={"data": {"key": None, "other": "c"}}, content_type="application/merge-patch+json", **apply
    )
    expect(merged.to_dict()["data"], {"other": "c"})
    maps.delete(**apply)


def custom_resources(api):
    every = dynamic.DynamicClient(api)
    extensions = client.ApiextensionsV1Api(api)
    name = f"sprockets.{GROUP}"
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {"size": {"type": "integer", "maximum": 9}, "color": {"type": "string", "default": "red"}},
            },
            "status": {"type": "object", "properties": {"size": {"type": "integer"}}},
        },
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": "sprockets", "kind": "Sprocket", "singular": "sprocket", "listKind": "SprocketList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    every.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").create(body=definition)

    def established():
        conditions = extensions.read_custom_resource_definition(name).status.conditions or []
        return any(one.type == "Established" and one.status == "True" for one in conditions)

    eventually("Established", established)
    custom = client.CustomObjectsApi(api)
    where = {"group": GROUP, "version": "v1", "namespace": NAMESPACE, "plural": "sprockets"}
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Sprocket", "metadata": {"name": "s1"}, "spec": {"size": 2}}
    made = custom.create_namespaced_custom_object(body=body, **where)
    expect(made["spec"], {"size": 2, "color": "red"})
    large = {**body, "metadata": {"name": "s2"}, "spec": {"size": 10}}
    refused(lambda: custom.create_namespaced_custom_object(body=large, **where), 422, "Invalid")
    custom.patch_namespaced_custom_object_status(name="s1", body={"status": {"size": 2}}, **where)
    every.resources.invalidate_cache()
    sprockets = every.resources.get(api_version=f"{GROUP}/v1", kind="Sprocket")
    applied = sprockets.server_side_apply(
        body=json.dumps({**body, "spec": {"size": 3}}),
        namespace=NAMESPACE,
        name="s1",
        field_manager="py",
        force_conflicts=True,
    )
    expect((applied.spec.size, applied.status.size), (3, 2))
    seen = [event["type"] for event in sprockets.watch(namespace=NAMESPACE, timeout=1)]
    expect(seen, ["ADDED"])
    extensions.delete_custom_resource_definition(name)

    def gone():
        return not [one for one in extensions.list_custom_resource_definition().items if one.metadata.name == name]

    eventually("definition and objects deleted", gone)


def leader(api):
    led = []

    class Stop(Exception):
        pass

    def start():
        led.append("started")

    lock = ConfigMapLock("py-leader", NAMESPACE, "candidate")
    election = electionconfig.Config(
        lock, lease_duration=15, renew_deadline=10, retry_period=1, onstarted_leading=start, onstopped_leading=None
    )
    candidate = leaderelection.LeaderElection(election)
    expect(candidate.acquire(), True)
    held, record = lock.get("py-leader", NAMESPACE)
    expect((held, record.holder_identity), (True, "candidate"))


def main():
    config.load_kube_config(sys.argv[1])
    api = client.ApiClient()
    core = client.CoreV1Api(api)
    expect(client.VersionApi(api).get_code().minor, "36")
    pods(core)
    pages(core)
    several(api)
    dynamic_client(api)
    custom_resources(api)
    leader(api)
    print("session complete")


main()
