#!/usr/bin/env bash
# A path that drops everything, without a word to either end: in a network of its own (`unshare -n`), with a
# packet filter. Prints after how many seconds a pull that happened meanwhile was told.
# usage: dropped_path.sh FOLDER_OF_PROGRAMS FOLDER_FOR_FILES
set -euo pipefail
programs=$1
folder=$2
cd "$folder"
ip link set lo up

wait_for() { # WHAT SECONDS COMMAND…
    local what=$1 seconds=$2
    shift 2
    for ((i = 0; i < seconds * 10; i++)); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "no $what within $seconds s" >&2
    cat talk >&2
    exit 1
}

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
"$programs/plimsoll-sim" --nodes 3 --heartbeat-interval 0 --kubeconfig kubeconfig >/dev/null 2>server &
wait_for "server" 60 grep -q "interrupt to stop" server
"$programs/plimsoll" watch --kubeconfig kubeconfig >alerts 2>talk &
wait_for "list" 60 grep -q "3 nodes" talk

server=$(sed -n 's/.*https:..127.0.0.1:\([0-9]*\).*/\1/p' kubeconfig)
client=$(ss -Htn state established "dport = :$server" | sed -n '1s/.*127.0.0.1:\([0-9]*\) .*127.*/\1/p')
iptables -A INPUT -p tcp --sport "$client" -j DROP
iptables -A INPUT -p tcp --dport "$client" -j DROP

start=$SECONDS
node=$("$programs/plimsoll-sim" nodes --kubeconfig kubeconfig | head -1 | cut -f1)
"$programs/plimsoll-sim" pull "$node" dark:1 5MB --kubeconfig kubeconfig >/dev/null
wait_for "alert" 100 grep -q dark:1 alerts
echo $((SECONDS - start))
cat talk >&2
