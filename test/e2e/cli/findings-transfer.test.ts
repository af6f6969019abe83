import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compactIfNeeded } from '../../../src/coordinator/compact/compact.ts';
import { compactParts, idsAsked, toReply } from '../../support/fleet/compaction.ts';
import { storeSessions } from '../../support/redis/store-findings.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();
const shell = useShell(redis);
const fleet = shell.run;
const otherFleet = (...args: string[]) => shell.start(args, { env: { FLEET_SWARM: `${redis.swarm}-other` } }).done;

/** Compacts session `instance-10`; leaves session `now` unchanged. */
async function compactAll(): Promise<void> {
  await storeSessions(redis, { 'instance-10': 12, now: 3 });
  const model = createScriptedModel((request) => toReply(idsAsked(request)));
  await compactIfNeeded(await compactParts(redis, model, { limit: 10 }));
}

describe('fleet findings', () => {
  it('--export and --import carry an archive into another swarm, again and again', async () => {
    await compactAll();
    const exported = await fleet('findings', '--export', 'all.jsonl');
    expect(exported).toMatchObject({ code: 0, stdout: 'Wrote 16 findings to all.jsonl.\n' });

    const imported = await otherFleet('findings', '--import', 'all.jsonl');
    expect(imported).toMatchObject({ code: 0, stdout: 'Imported 16 findings from all.jsonl.\n' });
    expect((await otherFleet('findings', '--import', 'all.jsonl')).stdout).toBe(
      'Imported 0 findings from all.jsonl; 16 there already, left alone.\n',
    );

    const piped = await otherFleet('findings', '--export');
    expect(piped.stdout).toBe(readFileSync(join(shell.folder, 'all.jsonl'), 'utf8'));
    expect((await otherFleet('status', '--json')).stdout).toContain('"live": 4');
    expect(readdirSync(shell.folder)).toEqual(['all.jsonl']);
  });

  it('--export of one session holds it alone, its condensed findings and their summary', async () => {
    await compactAll();
    const { stdout } = await fleet('findings', '--export', '--session', 'instance-10');
    expect(stdout.trimEnd().split('\n')).toHaveLength(13);
    expect(stdout).not.toContain('finding_now-1');
  });

  it('--import names bad lines, stores the others, and exits 1', async () => {
    const good = '{"finding_id":"a","result":"fine"}';
    writeFileSync(join(shell.folder, 'some.jsonl'), `${good}\nno JSON\n\n{"result":"no id"}\n`);
    const { code, stdout, stderr } = await fleet('findings', '--import', 'some.jsonl');
    expect(code).toBe(1);
    expect(stdout).toBe('Imported 1 finding from some.jsonl; 2 bad lines.\n');
    expect(stderr).toMatch(/❌ line 2: expected JSON.*\n❌ line 4: finding_id: expected/);
  });

  it('--import reads a pipe, and reports as JSON', async () => {
    const lines = '{"finding_id":"a","result":"fine"}\n{"finding_id":"b","result":"fine"}\n';
    const running = shell.start(['findings', '--import', '-', '--json'], { input: lines });
    expect(JSON.parse((await running.done).stdout)).toEqual({ read: 2, imported: 2, known: 0, bad: 0, problems: [] });
  });

  it('--import refuses what it would pass over', async () => {
    writeFileSync(join(shell.folder, 'some.jsonl'), '');
    expect(await fleet('findings', '--import', 'some.jsonl', '--session', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--import: takes the whole file; expected nothing beside it, got --session'),
    });
    expect(await fleet('findings', '--import', 'absent.jsonl')).toMatchObject({ code: 2 });
    expect(await fleet('findings', '--import', '.')).toMatchObject({ code: 2 });
  });

  it('ID shows a condensed finding whole, and where it was summed up', async () => {
    await compactAll();
    const { stdout } = await fleet('findings', 'finding_instance-10-4');
    expect(stdout).toMatch(/^Condensed {2}replaced by finding_[0-9a-f]{16}$/m);
    expect(stdout).toContain('What instance-10 learned, part 4');
    expect((await fleet('findings', '--grep', 'finding_instance-10-4')).stdout).toContain(
      'CONDENSED  What instance-10 learned',
    );
  });
});

describe('fleet ask', () => {
  it('lists a condensed source with its date, session and first line', async () => {
    await compactAll();
    const archive = createScriptedArchive(() => ({
      answer: 'It learned part 4 [finding_instance-10-4]',
      citations: ['finding_instance-10-4'],
    }));
    await useFleet(redis, { librarian: archive });
    const { code, stdout } = await fleet('ask', 'What was learned?', '--session', 'instance-10', '--wait');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Sources:\n  finding_instance-10-4  1970-01-01 04:00  instance-10  CONDENSED  What instance-10 learned\n',
    );
    expect(archive.calls[0]?.prompt).not.toContain('finding_now');
  });
});
