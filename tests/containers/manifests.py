# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of manifests share: rendering them, and the Kubernetes API's own models to hold them against."""
import json
import os
import re
import shutil
import subprocess

import yaml
from kubernetes.client import models
from kubernetes.client.configuration import Configuration

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KUBERNETES = os.path.join(ROOT, "containers", "kubernetes")
CHART = os.path.join(KUBERNETES, "helm", "vitrine")


class Unavailable(Exception):
    """This machine lacks what renders them."""


def kustomize(folder):
    """The documents that `kubectl apply -k` would send."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        raise Unavailable("kubectl is not installed")
    version = subprocess.run([kubectl, "version", "--client"], text=True, capture_output=True).stdout
    found = re.search(r'Kustomize Version: v(\d+)', version)
    if not found or int(found[1]) < 4:
        raise Unavailable("kubectl has no kustomize of version 4 or later")
    result = subprocess.run([kubectl, "kustomize", os.path.join(KUBERNETES, folder)], text=True, capture_output=True)
    if result.returncode:
        raise AssertionError(f"{folder}: {result.stderr}")
    return list(yaml.safe_load_all(result.stdout))


def merged(values, changes):
    """`changes` over `values`, as --values does it."""
    result = dict(values)
    for name, value in changes.items():
        result[name] = merged(values[name], value) if isinstance(value, dict) and isinstance(values.get(name), dict) else value
    return result


def chart(changes, release="desk"):
    """The documents of the Helm chart: by helm, or where there is none by Go's templates with the functions that the chart uses."""
    templates = os.path.join(CHART, "templates")
    if shutil.which("helm"):
        result = subprocess.run(["helm", "template", release, CHART, "--values", "-"], input=yaml.safe_dump(changes), text=True, capture_output=True)
    elif shutil.which("go"):
        with open(os.path.join(CHART, "values.yaml")) as file:
            values = merged(yaml.safe_load(file), changes)
        data = {"Values": values, "Release": {"Name": release, "Namespace": "default"}}
        renderer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "render-chart.go")
        result = subprocess.run(["go", "run", renderer, templates], input=json.dumps(data), text=True, capture_output=True,
                                env={**os.environ, "GO111MODULE": "off", "GOFLAGS": ""})
    else:
        raise Unavailable("neither helm nor go is installed")
    if result.returncode:
        raise AssertionError(result.stderr)
    return [document for document in yaml.safe_load_all(result.stdout) if document]


def model_of(document):
    """The API's model for a document: V1Service for kind Service of v1."""
    version = document["apiVersion"].split("/")[-1]
    return getattr(models, version[0].upper() + version[1:] + document["kind"])


def problems(value, kind, where):
    """What does not fit the model: unknown and missing fields, wrong types."""
    found = []
    if kind.startswith("list["):
        if not isinstance(value, list):
            return [f"{where}: is no list"]
        for i, item in enumerate(value):
            found += problems(item, kind[5:-1], f"{where}[{i}]")
    elif kind.startswith("dict("):
        if not isinstance(value, dict):
            return [f"{where}: is no map"]
        inner = kind[5:-1].split(", ", 1)[1]
        for name, item in value.items():
            found += problems(item, inner, f"{where}.{name}")
    elif hasattr(models, kind):
        model = getattr(models, kind)
        if not isinstance(value, dict):
            return [f"{where}: is no {kind}"]
        names = {there: here for here, there in model.attribute_map.items()}
        for name, item in value.items():
            if name not in names:
                found.append(f"{where}: {kind} has no field {name}")
            else:
                found += problems(item, model.openapi_types[names[name]], f"{where}.{name}")
        try:
            configuration = Configuration()
            configuration.client_side_validation = True
            model(local_vars_configuration=configuration, **{names[name]: item for name, item in value.items() if name in names})
        except ValueError as error:
            found.append(f"{where}: {error}")
    else:
        types = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str, "object": object}
        # An IntOrString is "object"; quantities are "str" that YAML may give as numbers.
        if kind in types and (not isinstance(value, types[kind]) or (kind == "int" and isinstance(value, bool))) \
                and not (kind == "str" and isinstance(value, (int, float)) and not isinstance(value, bool) and ".resources." in where):
            found.append(f"{where}: {value!r} is no {kind}")
    return found


def pod_of(document):
    """The pod's specification in a document; None where there is none."""
    spec = document.get("spec", {})
    return spec if document["kind"] == "Pod" else spec.get("template", {}).get("spec")


def unrestricted(pod, where):
    """What the Pod Security Standard "restricted" would refuse."""
    found = []
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            found.append(f"{where}: {name}")
    whole = pod.get("securityContext", {})
    for volume in pod.get("volumes", []):
        if set(volume) - {"name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}:
            found.append(f"{where}: volume {volume['name']}")
    for container in pod["containers"] + pod.get("initContainers", []):
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f"{where}: {container['name']} may escalate")
        if own.get("capabilities", {}).get("drop") != ["ALL"] or own.get("capabilities", {}).get("add", []) not in ([], ["NET_BIND_SERVICE"]):
            found.append(f"{where}: {container['name']} has capabilities")
        if not own.get("runAsNonRoot", whole.get("runAsNonRoot")):
            found.append(f"{where}: {container['name']} may be root")
        if own.get("seccompProfile", whole.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append(f"{where}: {container['name']} has no seccomp profile")
    return found
