# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manifests for Kubernetes and compose, Containerfiles and their scripts: whether they are what they claim to be, without starting anything."""
import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

try:
    import yaml
    from manifests import CHART, KUBERNETES, ROOT, Unavailable, chart, kustomize, model_of, pod_of, problems, unrestricted
except ImportError as error:
    print(f"SKIP: python3-kubernetes and python3-yaml are needed: {error}")
    sys.exit(77)

CONTAINERS = os.path.join(ROOT, "containers")
# Its media ports are many, so it stands on the node's own network.
ON_THE_NODE = ("coturn",)


def of(documents, kind, name=None):
    found = [d for d in documents if d["kind"] == kind and name in (None, d["metadata"]["name"])]
    assert len(found) == 1 or name is None, f"{kind} {name}: {len(found)} of them"
    return found[0] if name else found


# Where clouds hand out credentials.
METADATA = {"169.254.169.254/32", "fd00:ec2::254/128", "fd20:ce::254/128"}


def unreached(policy):
    """The networks that a policy leaves out of all addresses, but for names: some clouds answer those at the address of their metadata."""
    names = [rule["ports"] for rule in policy["spec"]["egress"] if "to" not in rule]
    if names != [[{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]]:
        raise AssertionError(f"reached everywhere: {names}")
    blocks = [to["ipBlock"] for rule in policy["spec"]["egress"] for to in rule.get("to", [])]
    return {network for block in blocks for network in block.get("except", [])}


class Documents(unittest.TestCase):
    def fit(self, documents, where):
        """All fit the API, and pods keep to the standard "restricted"."""
        self.assertTrue(documents)
        for document in documents:
            name = f"{where}: {document['kind']} {document['metadata']['name']}"
            self.assertEqual(problems(document, model_of(document).__name__, name), [])
            if pod := pod_of(document):
                refused = unrestricted(pod, name)
                if document["kind"] == "DaemonSet" and any(word in name for word in ON_THE_NODE):
                    refused = [line for line in refused if not line.endswith("hostNetwork")]
                self.assertEqual(refused, [])
                self.mounts(pod, document)

    def mounts(self, pod, document):
        """Every mount has its volume."""
        claims = [claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])]
        volumes = {volume["name"] for volume in pod.get("volumes", [])} | set(claims)
        for container in pod["containers"]:
            for mount in container.get("volumeMounts", []):
                self.assertIn(mount["name"], volumes, document["metadata"]["name"])


class Checks(unittest.TestCase):
    def test_they_find_what_is_wrong(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
               "spec": {"hostPID": True, "contaners": [], "containers": [{"name": "c", "ports": [{"containerPort": "eighty"}]}],
                        "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}}
        found = problems(pod, "V1Pod", "p")
        self.assertIn("p.spec: V1PodSpec has no field contaners", found)
        self.assertIn("p.spec.containers[0].ports[0].containerPort: 'eighty' is no int", found)
        self.assertIn("p.spec.containers: is no list", problems({"spec": {"containers": {}}}, "V1Pod", "p"))
        self.assertTrue(any("name" in line for line in problems({"spec": {"containers": [{}]}}, "V1Pod", "p")), "a field is missing")
        self.assertEqual(len(unrestricted(pod["spec"], "p")), 6)


class Kustomize(Documents):
    def test_the_base_and_every_overlay_fit_the_api(self):
        folders = ["base"] + sorted(os.path.join("overlays", name) for name in os.listdir(os.path.join(KUBERNETES, "overlays")))
        for folder in folders:
            with self.subTest(folder):
                try:
                    documents = kustomize(folder)
                except Unavailable as reason:
                    self.skipTest(str(reason))
                self.fit(documents, folder)
                limits = pod_of(of(documents, "StatefulSet", "vitrine"))["containers"][0]["resources"]["limits"]
                self.assertEqual("nvidia.com/gpu" in limits, folder.endswith("nvidia"))
                self.assertEqual(bool(of(documents, "DaemonSet")), folder.endswith("turn"))
                groups = pod_of(of(documents, "StatefulSet", "vitrine"))["securityContext"].get("supplementalGroups")
                self.assertEqual(bool(groups), folder.endswith("intel-amd"), "its render node may not be opened")
                self.assertEqual(unreached(of(documents, "NetworkPolicy", "vitrine")), METADATA)


class Chart(Documents):
    def rendered(self, **changes):
        try:
            return chart(changes)
        except Unavailable as reason:
            self.skipTest(str(reason))

    def test_what_it_makes_fits_the_api(self):
        everything = {
            "sessions": 3, "command": ["xterm", "-title", "a: b"], "env": {"TZ": "Europe/Berlin", "VITRINE_FRAMERATE": 30},
            "imagePullSecrets": [{"name": "registry"}], "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}},
            "service": {"type": "LoadBalancer", "annotations": {"c": "d"}}, "gpu": {"resource": "nvidia.com/gpu", "runtimeClassName": "nvidia", "supplementalGroups": [44, 104]}, "turn": {"enabled": True},
            "storage": {"className": "fast"}, "nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "gpu", "operator": "Exists"}],
        }
        least = {"storage": {"enabled": False}, "networkPolicy": {"enabled": False}, "passwords": {"existingSecret": "mine"}}
        for name, changes in {"defaults": {}, "everything": everything, "least": least}.items():
            with self.subTest(name):
                self.fit(self.rendered(**changes), name)

    def test_each_session_has_a_path_a_service_and_a_password_of_its_own(self):
        documents = self.rendered(sessions=2, ingress={"enabled": True})
        rule = of(documents, "Ingress", "desk")["spec"]["rules"][0]
        self.assertEqual([(p["path"], p["backend"]["service"]["name"]) for p in rule["http"]["paths"]], [("/desk-0", "desk-0"), ("/desk-1", "desk-1")])
        for name in ("desk-0", "desk-1"):
            service = of(documents, "Service", name)["spec"]
            self.assertEqual(service["selector"], {"statefulset.kubernetes.io/pod-name": name})
            self.assertEqual([(p["port"], p["protocol"]) for p in service["ports"]], [(8080, "TCP"), (8080, "UDP")])
        self.assertEqual(set(of(documents, "Secret", "desk-passwords")["data"]), {"desk-0", "desk-1"})
        session = of(documents, "StatefulSet", "desk")
        container = pod_of(session)["containers"][0]
        self.assertEqual(session["spec"]["replicas"], 2)
        self.assertIn({"name": "VITRINE_BASE_PATH", "value": "/$(POD_NAME)"}, container["env"])
        mount = next(m for m in container["volumeMounts"] if m["name"] == "passwords")
        self.assertEqual(mount["subPathExpr"], "$(POD_NAME)", "a session would see the others' passwords")

    def test_a_gpu_has_its_group_and_runtime(self):
        for gpu, groups, runtime in (({}, None, None), ({"supplementalGroups": [104]}, [104], None), ({"runtimeClassName": "nvidia"}, None, "nvidia")):
            pod = pod_of(of(self.rendered(gpu=gpu), "StatefulSet", "desk"))
            self.assertEqual((pod["securityContext"].get("supplementalGroups"), pod.get("runtimeClassName")), (groups, runtime))

    def test_no_metadata_address_is_reached(self):
        self.assertEqual(unreached(of(self.rendered(), "NetworkPolicy", "desk")), METADATA)

    def test_no_secret_stands_in_the_values(self):
        with open(os.path.join(CHART, "values.yaml")) as file:
            self.assertIsNone(re.search(r"(?i)(password|secret): *[^\s\"{\[]", re.sub(r"(?m)#.*$", "", file.read())))


class Compose(unittest.TestCase):
    def test_each_file_goes_with_the_software_one(self):
        with open(os.path.join(CONTAINERS, "compose", "software.yaml")) as file:
            software = yaml.safe_load(file)
        known = {"image", "restart", "environment", "secrets", "ports", "volumes", "cap_drop", "security_opt", "read_only", "tmpfs", "devices", "group_add",
                 "deploy", "network_mode", "command"}
        for path in sorted(glob.glob(os.path.join(CONTAINERS, "compose", "*.yaml"))):
            with open(path) as file:
                parts = yaml.safe_load(file)
            with self.subTest(os.path.basename(path)):
                self.assertLessEqual(set(parts), {"services", "secrets", "volumes"})
                secrets = set(software["secrets"]) | set(parts.get("secrets", {}))
                for name, service in parts["services"].items():
                    self.assertLessEqual(set(service), known, name)
                    self.assertLessEqual(set(service.get("secrets", [])), secrets, name)
                    self.assertTrue("image" in service or name in software["services"], name)
                    for variable, value in service.get("environment", {}).items():
                        self.assertFalse(re.search("PASSWORD$|SECRET$", variable) and value, f"{variable} belongs into a file")


class Images(unittest.TestCase):
    def test_no_image_runs_as_root(self):
        for path in glob.glob(os.path.join(CONTAINERS, "*", "Containerfile")):
            with open(path) as file:
                text = file.read()
            with self.subTest(os.path.relpath(path, ROOT)):
                self.assertRegex(text, r"(?m)^ARG BASE=")
                self.assertRegex(text, r"(?m)^FROM \$\{BASE\}")
                users = re.findall(r"(?m)^USER (\S+)", text)
                self.assertTrue(users and users[-1] not in ("0", "root"), users)
                self.assertRegex(text, r"org\.opencontainers\.image\.title=")
                self.assertNotRegex(text, r"(?m)^[^#]*\bsleep\b")

    def test_scripts_are_clean(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not installed")
        scripts = [os.path.join(ROOT, "scripts", "containers")]
        for path in glob.glob(os.path.join(CONTAINERS, "**"), recursive=True):
            if os.path.isfile(path):
                with open(path, errors="replace") as file:
                    if re.match(r"#!.*\b(ba)?sh\b", file.readline()):
                        scripts.append(path)
        self.assertGreater(len(scripts), 5)
        result = subprocess.run(["shellcheck", "--severity=warning", *scripts], text=True, capture_output=True)
        self.assertEqual(result.returncode, 0, result.stdout)


class Services(unittest.TestCase):
    FOLDER = os.path.join(CONTAINERS, "services", "services")

    def dependencies(self, name):
        with open(os.path.join(self.FOLDER, name, "dependencies")) as file:
            return file.read().split()

    def test_their_dependencies_are_services_without_circles(self):
        names = set(os.listdir(self.FOLDER))
        done = set()
        while rest := names - done:
            ready = {name for name in rest if set(self.dependencies(name)) <= done}
            self.assertTrue(ready, f"what these depend on is no service, or each other: {rest}")
            done |= ready

    def test_what_is_waited_for_says_when_it_is_ready(self):
        for name in os.listdir(self.FOLDER):
            for other in self.dependencies(name):
                folder = os.path.join(self.FOLDER, other)
                self.assertTrue(os.path.exists(os.path.join(folder, "notification-fd")), other)
                with open(os.path.join(folder, "start")) as file:
                    self.assertRegex(file.read(), r">&3|_FD=3|portal\.py", other)


if __name__ == "__main__":
    unittest.main()
