import { describe, expect, it } from 'vitest';
import type { StructuredCall } from '../../../src/coordinator/calls/types.ts';
import { BoundThinkingError, HaltError, ShutdownError, TaskFailedError } from '../../../src/errors.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { openStructuredCalls } from '../../support/fleet/structured-calls.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';

const redis = useRedis();

function wordCall(name: string, more: Partial<StructuredCall<string>> = {}): StructuredCall<string> {
  return {
    name,
    model: 'claude-sonnet-5-5',
    system: 'Answer with a word.',
    prompt: `<goal>\n${name}\n</goal>`,
    schema: { title: name, type: 'object', properties: { word: { type: 'string' } } },
    replyTokens: 1_000,
    check: (json) => {
      const word: unknown = Reflect.get(Object(json), 'word');
      return typeof word === 'string' ? { ok: true, value: word } : { ok: false, problem: 'word: expected a string' };
    },
    ...more,
  };
}

const yes = JSON.stringify({ word: 'yes' });
const cut: Step = { text: '{"wor', stopReason: 'max_tokens' };

/** Types of the blocks of the reply that a request sends back. */
function sentBack(request: ModelRequest | undefined): string[] {
  const content = request?.messages[1]?.content;
  return Array.isArray(content) ? content.map(({ type }) => type) : [];
}

describe('a structured call', () => {
  it('answers what the model said, held to the schema by the provider', async () => {
    const model = createScriptedModel(() => yes);
    expect(await openStructuredCalls(redis, model).ask(wordCall('plan'))).toBe('yes');
    expect(model.calls[0]?.outputSchema).toMatchObject({ title: 'plan' });
  });

  it('is paid once however often its job starts again', async () => {
    const model = createScriptedModel(() => yes);
    for (let run = 0; run < 3; run += 1) {
      const calls = openStructuredCalls(redis, model);
      await calls.ask(wordCall('plan'));
      await calls.ask(wordCall('synthesis'));
      await calls.ask(wordCall('plan'));
      expect(calls.totals().calls).toBe(2);
    }
    expect(model.calls).toHaveLength(2);
  });

  it('is booked to its mission and its day, and shown apart from tasks', async () => {
    const model = createScriptedModel(() => yes);
    await openStructuredCalls(redis, model).ask(wordCall('plan'));
    const cost = String(100 * 2_000 + 200 * 10_000);
    const spend = await redis.redis.hgetall(redis.keys.spend('mission:mission-test'));
    expect(spend).toMatchObject({ settled: cost, reserved: '0' });
    const totals = await redis.redis.hgetall(redis.keys.sessionTotals('today'));
    expect(totals).toMatchObject({
      'sonnet:nano': cost,
      'coordinator:nano': cost,
      'coordinator:tokens': '300',
      'coordinator:calls': '1',
    });
  });

  it('sends a reply that does not fit back once, with the problem', async () => {
    const model = createScriptedModel((_request, call) => (call === 1 ? '{"word":7}' : yes));
    expect(await openStructuredCalls(redis, model).ask(wordCall('plan'))).toBe('yes');
    const last = model.calls[1]?.messages.at(-1)?.content;
    expect(JSON.stringify(last)).toContain('<problem>\\nword: expected a string\\n</problem>');
  });

  it('fails with the reply attached when the repair does not fit either', async () => {
    const model = createScriptedModel(() => 'I would rather not');
    const calls = openStructuredCalls(redis, model);
    const failure = await calls.ask(wordCall('plan')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TaskFailedError);
    expect(failure).toMatchObject({ reason: 'malformed', message: expect.stringContaining('I would rather not') });
    expect(calls.lines).toHaveLength(2);
  });

  it('pays neither the reply nor its repair twice', async () => {
    const model = createScriptedModel((_request, call) => (call === 1 ? '{}' : yes));
    for (let run = 0; run < 2; run += 1) await openStructuredCalls(redis, model).ask(wordCall('plan'));
    expect(model.calls).toHaveLength(2);
  });

  it('thinks as much as it is told, and leaves nothing in a cache that nobody reads', async () => {
    const model = createScriptedModel(() => yes);
    await openStructuredCalls(redis, model).ask(wordCall('plan', { effort: 'medium' }));
    expect(model.calls[0]).toMatchObject({ effort: 'medium', cache: 'none', maxTokens: 17_000 });
  });

  it('is asked once more with twice the room if its reply is cut, before any repair', async () => {
    const model = createScriptedModel((_request, call) => (call === 1 ? cut : yes));
    const calls = openStructuredCalls(redis, model);
    expect(await calls.ask(wordCall('plan'))).toBe('yes');
    expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([17_000, 34_000]);
    expect(model.calls[1]?.messages).toEqual(model.calls[0]?.messages);
    expect(calls.lines).toEqual([
      expect.stringContaining('plan: the reply was cut off at 200 tokens; asked once more'),
    ]);
  });

  it('says that a reply was cut off twice, and asks for a shorter one', async () => {
    const model = createScriptedModel((_request, call) => (call < 3 ? cut : yes));
    for (let run = 0; run < 2; run += 1) {
      expect(await openStructuredCalls(redis, model).ask(wordCall('plan'))).toBe('yes');
    }
    expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([17_000, 34_000, 34_000]);
    expect(JSON.stringify(model.calls[2]?.messages.at(-1))).toContain('cut off at 200 tokens');
  });

  it('gives a repair twice the room too, and doubles the room once in all', async () => {
    const model = createScriptedModel((_request, call) => (call === 1 ? '{}' : call === 2 ? cut : yes));
    expect(await openStructuredCalls(redis, model).ask(wordCall('plan'))).toBe('yes');
    expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([17_000, 17_000, 34_000]);
    const hopeless = createScriptedModel(() => cut);
    const failure = openStructuredCalls(redis, hopeless, { jobId: 'hopeless' }).ask(wordCall('plan'));
    await expect(failure).rejects.toMatchObject({ reason: 'malformed' });
    expect(hopeless.calls).toHaveLength(3);
  });

  it('asks for no more than the model can write', async () => {
    const model = createScriptedModel((_request, call) => (call === 1 ? cut : yes));
    await openStructuredCalls(redis, model).ask(wordCall('plan', { replyTokens: 100_000 }));
    expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([116_000, 128_000]);
  });

  it.each(['pause_turn', 'tool_use', 'a_new_reason'])('takes no reply that stops with %s', async (stopReason) => {
    const model = createScriptedModel((_request, call) => (call === 1 ? { text: yes, stopReason } : yes));
    await openStructuredCalls(redis, model).ask(wordCall('plan'));
    expect(JSON.stringify(model.calls[1]?.messages.at(-1))).toContain(`it stopped with ${stopReason}`);
  });

  it('fails where the window of the model is full: no repair would fit', async () => {
    const model = createScriptedModel(() => ({ text: yes, stopReason: 'model_context_window_exceeded' }));
    const failure = openStructuredCalls(redis, model).ask(wordCall('plan'));
    await expect(failure).rejects.toMatchObject({ reason: 'too-long' });
    expect(model.calls).toHaveLength(1);
  });
});

describe('the thinking of a reply that is sent back', () => {
  const wrong: Step = { text: '{}', signature: 'bound' };

  it('goes with it', async () => {
    const model = createScriptedModel((_request, call) => (call === 1 ? wrong : yes));
    await openStructuredCalls(redis, model).ask(wordCall('plan'));
    expect(sentBack(model.calls[1])).toEqual(['thinking', 'text']);
  });

  it('stays behind if the prompt has changed since', async () => {
    const model = createScriptedModel((_request, call) => {
      if (call === 2) throw new ShutdownError('its process goes away');
      return call === 1 ? wrong : yes;
    });
    await openStructuredCalls(redis, model)
      .ask(wordCall('plan'))
      .catch(() => undefined);
    await openStructuredCalls(redis, model).ask(wordCall('plan', { system: 'Answer with one word.' }));
    expect(sentBack(model.calls[1])).toEqual(['thinking', 'text']);
    expect(sentBack(model.calls[2])).toEqual(['text']);
  });

  it('stays behind if a version before stored the reply', async () => {
    const model = createScriptedModel((_request, call) => {
      if (call === 2) throw new ShutdownError('its process goes away');
      return call === 1 ? wrong : yes;
    });
    await openStructuredCalls(redis, model)
      .ask(wordCall('plan'))
      .catch(() => undefined);
    const turns = redis.keys.turns('mission-test');
    const { prefix: _prefix, ...before } = JSON.parse((await redis.redis.hget(turns, 'r:0:plan')) ?? '') as object & {
      prefix: string;
    };
    await redis.redis.hset(turns, 'r:0:plan', JSON.stringify(before));
    expect(await openStructuredCalls(redis, model).ask(wordCall('plan'))).toBe('yes');
    expect(sentBack(model.calls[2])).toEqual(['text']);
  });

  it('is left out if the provider refuses it: the repair is asked once more, and the refusal costs nothing', async () => {
    const model = createScriptedModel((_request, call) => {
      if (call !== 2) return call === 1 ? wrong : yes;
      const refusal = new BoundThinkingError('Invalid `signature` in `thinking` block');
      refusal.billed = 'no';
      throw refusal;
    });
    const calls = openStructuredCalls(redis, model);
    expect(await calls.ask(wordCall('plan'))).toBe('yes');
    expect(sentBack(model.calls[1])).toEqual(['thinking', 'text']);
    expect(sentBack(model.calls[2])).toEqual(['text']);
    expect(calls.totals().calls).toBe(2);
    expect(calls.lines.filter((line) => line.includes('refuses the thinking'))).toHaveLength(1);
    const spend = await redis.redis.hmget(redis.keys.spend('mission:mission-test'), 'reserved', 'uncertain');
    expect(spend.map(Number)).toEqual([0, 0]);
  });

  it('is left out of a reply that is not whole', async () => {
    const model = createScriptedModel((_request, call) => (call < 3 ? { ...cut, text: '', signature: 'cut' } : yes));
    await openStructuredCalls(redis, model).ask(wordCall('plan'));
    expect(sentBack(model.calls[2])).toEqual(['text']);
  });
});

describe('a structured call, paid and alone', () => {
  it('books a call apart as uncertain that was out when its process died', async () => {
    const model = createScriptedModel(() => yes);
    const dying = openStructuredCalls(redis, model, { ledger: { settle: () => new Promise(() => undefined) } });
    void dying.ask(wordCall('plan')); // its process dies before the reply is stored
    await expect.poll(() => model.calls.length).toBe(1);
    await openStructuredCalls(redis, model).ask(wordCall('plan'));
    expect(Number(await redis.redis.hget(redis.keys.spend('mission:mission-test'), 'uncertain'))).toBeGreaterThan(0);
  });

  it('asks one question of a job after the other', async () => {
    let under = 0;
    let most = 0;
    const model = createScriptedModel(async () => {
      under += 1;
      most = Math.max(most, under);
      await new Promise((resolve) => setImmediate(resolve));
      under -= 1;
      return yes;
    });
    const calls = openStructuredCalls(redis, model);
    await Promise.all(['a', 'b', 'c'].map((name) => calls.ask(wordCall(name))));
    expect(most).toBe(1);
  });

  it('makes no call while the fleet is halted', async () => {
    await redis.redis.set(redis.keys.haltReason, '{"reason":"person"}');
    const model = createScriptedModel(() => yes);
    await expect(openStructuredCalls(redis, model).ask(wordCall('plan'))).rejects.toBeInstanceOf(HaltError);
    expect(model.calls).toHaveLength(0);
  });

  it('makes no call in a process that goes away', async () => {
    const model = createScriptedModel(() => yes);
    const calls = openStructuredCalls(redis, model, { isDraining: () => true });
    await expect(calls.ask(wordCall('plan'))).rejects.toBeInstanceOf(ShutdownError);
    expect(model.calls).toHaveLength(0);
  });

  it('never passes the budget of its mission', async () => {
    await redis.redis.hset(redis.keys.spend('mission:mission-test'), 'limit', 1);
    const model = createScriptedModel(() => yes);
    await expect(openStructuredCalls(redis, model).ask(wordCall('plan'))).rejects.toMatchObject({ scope: 'mission' });
    expect(model.calls).toHaveLength(0);
  });
});
