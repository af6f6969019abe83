/**
 * Preloaded (`--import`) into child processes that must not outlive the process that forked them, however that ends: its
 * end of the IPC channel closes then. Nothing imports it.
 */
process.once('disconnect', () => {
  const end = () => process.kill(process.pid, 'SIGTERM');
  end();
  setTimeout(end, 1_000).unref(); // the second signal hurries: their Redis is gone as well
  setTimeout(() => process.exit(1), 10_000).unref();
});
