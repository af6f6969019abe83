#!/usr/bin/env node
/** The `fleet` command. Process entry; nothing imports it. It checks the version of Node before it loads anything else. */
import { createRequire } from 'node:module';

createRequire(import.meta.url)('../../../scripts/require-node.cjs'); // relative to dist/src/cli
const { runCommandLine } = await import('./program.ts');
await runCommandLine(process.argv);
