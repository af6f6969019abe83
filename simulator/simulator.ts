import { type AnthropicControls, createAnthropicProvider, type SimulatorOptions } from './anthropic/server.ts';
import { createGeminiProvider, type GeminiControls, type GeminiOptions, isGeminiPath } from './gemini/server.ts';
import { type HttpHost, startHttpHost } from './provider-host/http-host.ts';

/** Both providers at one address. */
export interface Simulator extends HttpHost {
  anthropic: AnthropicControls;
  gemini: GeminiControls;
}

/**
 * Starts both simulated providers on one port. Its address is the value of `ANTHROPIC_BASE_URL` and `GEMINI_BASE_URL`, and
 * with `/anthropic` appended that of `DEEPSEEK_BASE_URL`.
 */
export async function startSimulator(
  options: { port?: number; anthropic?: Omit<SimulatorOptions, 'port' | 'host'>; gemini?: GeminiOptions } = {},
): Promise<Simulator> {
  const { answer: answerAnthropic, ...anthropic } = createAnthropicProvider(options.anthropic);
  const { answer: answerGemini, ...gemini } = createGeminiProvider(options.gemini);
  const host = await startHttpHost(
    (req, res, closing) => (isGeminiPath(req.url ?? '/') ? answerGemini : answerAnthropic)(req, res, closing),
    options.port,
  );
  return { ...host, anthropic, gemini };
}
