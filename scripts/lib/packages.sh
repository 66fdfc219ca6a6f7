# Debian packages that kube-lite's scripts need; sourced by them.

# To build: the npm client, the tools that unpack packages and make the executable.
BUILD_PACKAGES="ca-certificates npm gcc libc6-dev binutils zstd"
# To run: what design calls the host's part.
HOST_PACKAGES="nftables iproute2 util-linux mount conntrack"
# To test: a static busybox for images, a registry and what fills it, clients of Kubernetes that others wrote.
TEST_PACKAGES="busybox-static openssl curl python3 python3-kubernetes docker-registry skopeo ruby-kubeclient ansible"

# install_packages NAME...: installs those that are missing; says nothing when there are none.
install_packages() {
  missing=""
  for name in "$@"; do
    case $name in
      npm) command -v npm >/dev/null 2>&1 && continue ;;
    esac
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $name"
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null 2>&1 || { echo "kube-lite: these packages are missing:$missing; install them with the system's package manager" >&2; exit 1; }
  echo "installing packages:$missing"
  export DEBIAN_FRONTEND=noninteractive
  patience="-o Acquire::Retries=5 -o DPkg::Lock::Timeout=120"
  # shellcheck disable=SC2086
  apt-get $patience install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
    apt-get $patience update -q >/dev/null
    apt-get $patience install -y -q --no-install-recommends $missing >/dev/null
  }
}
