# What follows on the removal of the package's files; configuration, state, logs and users stay.
find /usr/lib/systemd/system -path '*/nightjar-.service.d/*' -delete
rmdir /usr/lib/systemd/system/nightjar-.service.d /usr/lib/nightjar 2>/dev/null || true
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl reset-failed 'nightjar*' 2>/dev/null || true
fi
