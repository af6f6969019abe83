const NAMES: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  openrouter: 'OpenRouter',
  deepseek: 'DeepSeek',
  xai: 'xAI',
};

/** Names a total (`CostVendor`) for people: `Haiku`, `DeepSeek`. */
export function toVendorName(vendor: string): string {
  return NAMES[vendor] ?? vendor.charAt(0).toUpperCase() + vendor.slice(1);
}
