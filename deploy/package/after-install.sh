# What follows on the package's files being there; $action is "install" or "upgrade".
systemd-sysusers nightjar.conf
systemd-tmpfiles --create nightjar.conf
# It may name the service account; the stages read it as the group.
chown root:nightjar /etc/nightjar /etc/nightjar/nightjar.yaml
chmod 0750 /etc/nightjar
chmod 0640 /etc/nightjar/nightjar.yaml

# Drop-ins that older versions of systemd complain of, each in a folder named after the first that knows it.
running=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
for folder in /usr/lib/nightjar/systemd/*/; do
  version=$(basename "$folder")
  if [ -d "$folder" ] && [ "${running:-0}" -ge "$version" ]; then cp -R "$folder." /usr/lib/systemd/system/; fi
done

# Nothing is started by an installation: the sensor is configured first, then `systemctl enable --now nightjar`.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # What is under way is on the bus's disk, and found there by the stages of the new version.
  [ "$action" = install ] || systemctl try-restart nightjar.service
fi
