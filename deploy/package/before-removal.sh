# What precedes the removal of the package's files: the sensor ends, and takes its programs out of the kernel.
if [ -d /run/systemd/system ]; then
  systemctl stop nightjar.target nightjar.service 'nightjar-*.service' nightjar.slice
fi
systemctl --quiet disable nightjar.service nightjar.target
