/** EX_CONFIG of sysexits.h. pm2 does not restart a process that ends with it (`stop_exit_codes`). */
export const EXIT_CONFIG = 78;
