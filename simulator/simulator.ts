import { type AnthropicControls, createAnthropicProvider, type SimulatorOptions } from './anthropic/server.ts';
import { createGeminiProvider, type GeminiControls, type GeminiOptions, isGeminiPath } from './gemini/server.ts';
import { createOpenAiProvider, isOpenAiPath, type OpenAiControls, type OpenAiOptions } from './openai/server.ts';
import { type Answer, type HttpHost, startHttpHost } from './provider-host/http-host.ts';

/** All providers at one address. */
export interface Simulator extends HttpHost {
  anthropic: AnthropicControls;
  gemini: GeminiControls;
  openai: OpenAiControls;
}

export interface AllOptions {
  port?: number;
  anthropic?: Omit<SimulatorOptions, 'port' | 'host'>;
  gemini?: GeminiOptions;
  openai?: OpenAiOptions;
}

/**
 * Starts all simulated providers on one port. Its address is the value of `ANTHROPIC_BASE_URL` and `GEMINI_BASE_URL`, with
 * `/anthropic` appended that of `DEEPSEEK_BASE_URL`, and with `/openai/v1` that of a model behind chat completions.
 */
export async function startSimulator(options: AllOptions = {}): Promise<Simulator> {
  const { answer: answerAnthropic, ...anthropic } = createAnthropicProvider(options.anthropic);
  const { answer: answerGemini, ...gemini } = createGeminiProvider(options.gemini);
  const { answer: answerOpenAi, ...openai } = createOpenAiProvider(options.openai);
  const choose = (path: string): Answer => {
    if (isGeminiPath(path)) return answerGemini;
    return isOpenAiPath(path) ? answerOpenAi : answerAnthropic;
  };
  const host = await startHttpHost((req, res, closing) => choose(req.url ?? '/')(req, res, closing), options.port);
  return { ...host, anthropic, gemini, openai };
}
