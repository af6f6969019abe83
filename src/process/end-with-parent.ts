/**
 * Preloaded (`--import`) into child processes that must end with the process that forked them: the IPC channel closes
 * whenever and however that process ends. Nothing imports it.
 */
process.once('disconnect', () => {
  const end = () => process.kill(process.pid, 'SIGTERM');
  end();
  setTimeout(end, 1_000).unref(); // the second signal shortens the grace period: their Redis has ended, too
  setTimeout(() => process.exit(1), 10_000).unref();
});
