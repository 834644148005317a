#!/usr/bin/env bash
# The tutorial as typed by hand, with the images, charts and manifests of this project's sources: the baseline of `make bench`.
# Environment: NAME, PORT, NODE_IMAGE, MANIFESTS, CHARTS, ARCHIVES (space separated), KUBECONFIG, SERVICES (a YAML file),
# SMALL (a YAML transformation is already applied to MANIFESTS). Prints "<seconds> <step>" lines.
set -euo pipefail
begun=$(date +%s.%N)
step() { echo "$(echo "$(date +%s.%N) - $begun" | bc) $1"; }

kind create cluster --quiet --name "$NAME" --image "$NODE_IMAGE" --config=- <<EOF
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings:
  - {containerPort: 31080, listenAddress: 127.0.0.1, hostPort: $PORT}
EOF
step cluster
for archive in $ARCHIVES; do kind load image-archive --name "$NAME" "$archive"; done
step images
kubectl apply -f "$MANIFESTS/serving-crds.yaml" >/dev/null
kubectl wait --for=condition=Established --all crd >/dev/null
kubectl apply -f "$MANIFESTS/serving-core.yaml" >/dev/null
kubectl wait --namespace knative-serving --for=condition=Available deployment --all --timeout=300s >/dev/null
step serving
kubectl apply -f "$MANIFESTS/kourier.yaml" >/dev/null
kubectl patch configmap/config-network --namespace knative-serving --type merge \
  --patch '{"data":{"ingress-class":"kourier.ingress.networking.knative.dev"}}' >/dev/null
kubectl patch configmap config-domain --namespace knative-serving --patch '{"data":{"127.0.0.1.sslip.io":""}}' >/dev/null
kubectl apply -f - >/dev/null <<EOF
apiVersion: v1
kind: Service
metadata: {name: kourier-ingress, namespace: kourier-system, labels: {networking.knative.dev/ingress-provider: kourier}}
spec:
  type: NodePort
  selector: {app: 3scale-kourier-gateway}
  ports: [{name: http2, nodePort: 31080, port: 80, targetPort: 8080}]
EOF
kubectl patch configmap config-features --namespace knative-serving \
  --patch '{"data":{"tag-header-based-routing":"Enabled", "kubernetes.podspec-fieldref": "Enabled"}}' >/dev/null
kubectl wait --namespace kourier-system --for=condition=Available deployment --all --timeout=300s >/dev/null
step kourier
# "make sure that Kafka runs before the other steps", says the tutorial; of the other two it says nothing.
helm install kafka "$CHARTS/kafka" --set provisioning.enabled=true --set "provisioning.topics[0].name=events-topic" \
  --set "provisioning.topics[0].partitions=1" --set persistence.size=1Gi --wait --timeout 5m >/dev/null
step kafka
kubectl create configmap c4p-init-sql --from-literal=init.sql="CREATE TABLE proposals( id VARCHAR PRIMARY KEY NOT NULL, \
title VARCHAR NOT NULL, description TEXT NOT NULL, author VARCHAR NOT NULL, email VARCHAR NOT NULL, approved boolean, \
status VARCHAR NOT NULL);" >/dev/null
helm install postgresql "$CHARTS/postgresql" --set image.debug=true --set primary.initdb.user=postgres \
  --set primary.initdb.password=postgres --set primary.initdb.scriptsConfigMap=c4p-init-sql \
  --set global.postgresql.auth.postgresPassword=postgres --set primary.persistence.size=1Gi >/dev/null
helm install redis "$CHARTS/redis" --set architecture=standalone --set master.persistence.size=1Gi >/dev/null
step stores
kubectl apply -f "$SERVICES" >/dev/null
until curl --silent --fail --max-time 2 --output /dev/null --header "Host: notifications-service.default.127.0.0.1.sslip.io" \
  "http://127.0.0.1:$PORT/service/info"; do sleep 0.2; done
step first-answer
kubectl wait ksvc --all --for=condition=Ready --timeout=300s >/dev/null
step ready
