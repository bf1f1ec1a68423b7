#!/bin/sh
# What a Pod of profile Istio expects in its images under the name pilot-agent, as far as the path of its traffic goes:
#
#   pilot-agent istio-iptables -p OUTBOUND -z INBOUND -u UID …   writes the rules that these arguments ask for
#   pilot-agent proxy …                                          runs Envoy with the configuration in $BOOTSTRAP
#   pilot-agent request|wait …                                   there is nothing to drain and nothing to wait for
set -eu

words() {
    echo "$1" | tr , ' '
}

rules() {
    echo '*nat'
    echo ':MESH_INBOUND - [0:0]'
    echo ':MESH_OUTBOUND - [0:0]'
    echo '-A PREROUTING -p tcp -j MESH_INBOUND'
    echo '-A OUTPUT -p tcp -j MESH_OUTBOUND'
    for port in $(words "$inbound_excluded"); do
        echo "-A MESH_INBOUND -p tcp --dport $port -j RETURN"
    done
    for port in $(words "$inbound_ports"); do
        echo "-A MESH_INBOUND -p tcp $(test "$port" = '*' || echo "--dport $port") -j REDIRECT --to-ports $inbound"
    done
    echo "-A MESH_OUTBOUND -m owner --uid-owner $user -j RETURN"
    echo '-A MESH_OUTBOUND -d 127.0.0.0/8 -j RETURN'
    for port in $(words "$outbound_excluded"); do
        echo "-A MESH_OUTBOUND -p tcp --dport $port -j RETURN"
    done
    for range in $(words "$ranges_excluded"); do
        echo "-A MESH_OUTBOUND -d $range -j RETURN"
    done
    for port in $(words "$outbound_ports"); do
        echo "-A MESH_OUTBOUND -p tcp --dport $port -j REDIRECT --to-ports $outbound"
    done
    for range in $(words "$ranges"); do
        echo "-A MESH_OUTBOUND -p tcp $(test "$range" = '*' || echo "-d $range") -j REDIRECT --to-ports $outbound"
    done
    echo COMMIT
}

set -f # An asterisk means everything, not the files that are here.
command=$1
shift
case $command in
istio-iptables)
    inbound_ports='' inbound_excluded='' outbound_ports='' outbound_excluded='' ranges='' ranges_excluded=''
    while getopts p:z:u:m:i:x:b:d:q:o:-: option; do
        case $option in
        p) outbound=$OPTARG ;;
        z) inbound=$OPTARG ;;
        u) user=$OPTARG ;;
        m) test "$OPTARG" = REDIRECT ;;
        i) ranges=$OPTARG ;;
        x) ranges_excluded=$OPTARG ;;
        b) inbound_ports=$OPTARG ;;
        d) inbound_excluded=$OPTARG ;;
        q) outbound_ports=$OPTARG ;;
        o) outbound_excluded=$OPTARG ;;
        -) ;;
        *) exit 2 ;;
        esac
    done
    rules | iptables-restore --noflush
    ;;
proxy) exec envoy --config-yaml "$BOOTSTRAP" --concurrency 1 ;;
request | wait) ;;
*) exit 2 ;;
esac
