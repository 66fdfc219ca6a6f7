# Starting and stopping kube-lite: a systemd unit where systemd runs, else a supervised background process. Sourced.

UNIT=/etc/systemd/system/kube-lite.service
PID_FILE=/run/kube-lite/supervisor.pid
LOG_FILE=/var/log/kube-lite.log

has_systemd() { [ -d /run/systemd/system ]; }

# service_start BINARY [FLAG...]
service_start() {
  if has_systemd; then
    binary=$1
    shift
    cat >$UNIT <<TXT
# Made by kube-lite's install script; kube-lite uninstall removes it.
[Unit]
Description=kube-lite: Kubernetes in one executable
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=$binary server $*
Restart=always
RestartSec=1
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
TXT
    systemctl daemon-reload
    systemctl enable --quiet kube-lite
    systemctl restart kube-lite
  else
    mkdir -p "$(dirname $PID_FILE)"
    # The program text is handed over whole: the checkout may go away while it runs.
    setsid sh -c "$(cat scripts/lib/supervise)" supervise "$PID_FILE" "$LOG_FILE" "$@" </dev/null >/dev/null 2>&1 &
  fi
}

service_stop() {
  if has_systemd; then
    [ ! -f $UNIT ] || systemctl stop kube-lite
  elif [ -f $PID_FILE ] && kill -0 "$(cat $PID_FILE)" 2>/dev/null; then
    pid=$(cat $PID_FILE)
    kill "$pid"
    # Its pid file goes last; a dead process may linger as a zombie until init reaps it.
    while [ -f $PID_FILE ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
}

service_log() {
  if has_systemd; then journalctl -u kube-lite -n 30 --no-pager; else tail -n 30 $LOG_FILE; fi
}

service_log_hint() {
  if has_systemd; then echo "journalctl -u kube-lite"; else echo "$LOG_FILE"; fi
}
