# What is left of the sensor after its removal: configuration, state, logs, pins, and its users.
rm -rf /etc/nightjar /var/lib/nightjar /var/log/nightjar /etc/systemd/system/nightjar.slice.d
rm -rf /sys/fs/bpf/nightjar
for name in bus collector enricher metadata rule-engine aggregator uplink; do
  ! getent passwd "nightjar-$name" >/dev/null || userdel "nightjar-$name"
done
! getent group nightjar >/dev/null || groupdel nightjar
