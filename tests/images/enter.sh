#!/bin/sh
# Becomes a container's first process: enter.sh ROOT DATA READ_ONLY USER PROGRAM ARGUMENT...
# Runs in mount and process namespaces of its own (unshare). ROOT is mounted read-only, /tmp is small and
# in memory, DATA is /data. No capabilities, and no way to new privileges.
set -eu
root=$1 data=$2 read_only=$3 user=$4
shift 4
# PATH is the image's, for the program; these are of this machine.
tool() { PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$1"; }
mount=$(tool mount)
setpriv=$(tool setpriv)
chroot=$(tool chroot)

"$mount" --bind "$root" "$root"
"$mount" --bind "$data" "$root/data"
if [ "$read_only" = yes ]; then "$mount" -o remount,bind,ro "$root/data"; fi
"$mount" -t tmpfs -o size=256m,mode=1777,nosuid,nodev tmpfs "$root/tmp"
if [ -d "$root/proc" ]; then "$mount" -t proc -o nosuid,nodev,noexec proc "$root/proc"; fi
if [ -d "$root/dev" ]; then "$mount" --rbind /dev "$root/dev"; fi
"$mount" -o remount,bind,ro "$root"
exec "$setpriv" --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid --inh-caps=-all \
    "$chroot" --userspec="$user" --groups= "$root" "$@"
