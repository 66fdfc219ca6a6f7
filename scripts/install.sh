#!/bin/sh
# Turns this machine into a Kubernetes cluster: builds kube-lite, installs it, starts it and waits until the node is Ready.
# Run again, it upgrades in place; pods keep running.
#
#   sudo scripts/install.sh [--skip-build] [-- flags of kube-lite server]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh
. scripts/lib/service.sh

BINARY=/usr/local/bin/kube-lite
KUBECONFIG_FILE=/etc/kube-lite/kube-lite.yaml
READY_TIMEOUT_SECONDS=120

step() { printf '==> %s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "installing needs root; run: sudo scripts/install.sh"
[ "$(uname -s)" = Linux ] || fail "kube-lite runs on Linux only"

build=yes
while [ $# -gt 0 ]; do
  case $1 in
    --skip-build) build=no; shift ;;
    --) shift; break ;;
    *) fail "unknown argument $1 (flags of kube-lite server come after --)" ;;
  esac
done

step "checking packages"
if [ $build = yes ]; then install_packages $BUILD_PACKAGES $HOST_PACKAGES; else install_packages $HOST_PACKAGES; fi
if [ $build = yes ]; then
  step "installing build dependencies"
  [ -d node_modules/classic-level ] || scripts/install-deps
  step "building dist/kube-lite"
  scripts/build
fi
[ -x dist/kube-lite ] || fail "dist/kube-lite is missing; run scripts/build first, or leave out --skip-build"

step "checking this machine"
dist/kube-lite check-config || fail "mend what is marked 'missing' above, then run this again"

if [ -x $BINARY ]; then step "upgrading $BINARY"; else step "installing $BINARY"; fi
install -D -m 0755 dist/kube-lite $BINARY.new
mv -f $BINARY.new $BINARY

step "starting kube-lite"
service_stop
service_start "$BINARY" "$@"

step "waiting for the node to be Ready"
if ! $BINARY wait-ready --timeout ${READY_TIMEOUT_SECONDS}s; then
  echo "--- last lines of the log:" >&2
  service_log >&2
  fail "the node did not become Ready within ${READY_TIMEOUT_SECONDS} s"
fi

cat <<TXT

kube-lite is running. Next:

  export KUBECONFIG=$KUBECONFIG_FILE
  kubectl get nodes
  kubectl apply -f your-app.yaml

Log:        $(service_log_hint)
Upgrade:    sudo scripts/install.sh
Remove all: sudo kube-lite uninstall
TXT
