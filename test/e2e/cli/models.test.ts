import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis, () => ({ FLEET_OFFLINE: '1' }));

const LOCAL = {
  id: 'qwen3-local',
  vendor: 'local',
  api: 'openai',
  base_url: 'http://ann:hidden@127.0.0.1:1/v1?k=hidden',
  context_tokens: 40_960,
  max_output_tokens: 8_192,
  price: 'free-local',
  abilities: { tools: true },
  since: '2026-11-01',
};
const write = (value: unknown) => writeFileSync(join(shell.folder, 'models.json'), JSON.stringify(value));

it('lists the models with their prices, and says which are free-local and what a route names wrongly', async () => {
  write({ models: [LOCAL], routes: [{ kind: 'search', use: ['qwen3-local', 'nope'] }] });
  const { code, stdout, stderr } = await shell.run('models');
  expect(code).toBe(1);
  expect(stdout).toMatch(/qwen3-local \* +local +free-local +41k +8k +tools +yes/);
  expect(stdout).toMatch(/claude-haiku-5-5 +anthropic +0\.10 +0\.50 +0\.01 +1M +128k/);
  for (const vendor of ['google', 'openai', 'deepseek', 'mistral']) expect(stdout).toContain(` ${vendor} `);
  expect(stdout).toContain('free-local: nothing a token, and no budget holds it: qwen3-local');
  expect(stdout).toMatch(/1 +kind search +qwen3-local → nope/);
  expect(stderr).toContain('❌ routes[0].use: model "nope": no price is known for it');

  const shown = await shell.run('models', 'show', 'qwen3-local');
  expect(shown.stdout).toMatch(/price +free-local: nothing a token, and no budget holds it/);
  expect(shown.stdout).toMatch(/address +http:\/\/127\.0\.0\.1:1\/v1\n/);
  const json = await shell.run('models', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    models: expect.arrayContaining([expect.objectContaining({ id: 'qwen3-local', isOwn: true, isLocal: true })]),
  });
  expect(shown.stdout + json.stdout).not.toContain('hidden');
}, 60_000);

it('makes a round trip with a tool, and books it', async () => {
  const { code, stdout } = await shell.run('models', 'test', 'claude-haiku-5-5');
  expect(stdout).toMatch(/✅ claude-haiku-5-5: .*uses tools.*: 3 calls in [\d,]+ ms for \$0\.00\d+, booked/);
  expect(stdout).toContain('in all, booked; the model is simulated');
  expect(code).toBe(0);
  expect(JSON.parse((await shell.run('costs', '--by', 'model', '--json')).stdout)).toMatchObject({
    rows: [{ name: 'claude-haiku-5-5', calls: 3 }],
  });
}, 60_000);

it('refuses a model without a price when a task names it, and a wrong file at the start', async () => {
  expect(await shell.run('models', 'test', 'nope')).toMatchObject({ code: 2, stdout: '' });
  const refused = await shell.run('task', 'Do it', '--model', 'nope');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('model "nope": no price is known for it; known are claude-haiku-5-5,');
  write({ models: [{ ...LOCAL, api: 'soap', price: { input: 'x', output: 1 } }] });
  const { code, stderr } = await shell.run('status');
  expect(code).toBe(1);
  expect(stderr).toMatch(/models\[0\] \(qwen3-local\)\.api: expected anthropic, openai, gemini, got "soap"/);
  expect(stderr).toMatch(/models\[0\] \(qwen3-local\)\.price\.input: expected a number/);
}, 60_000);
