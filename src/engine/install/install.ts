// temporary: replaced by the real installer
export interface InstallProgress { stage: string; done: number; total?: number }
export async function ensureEngine(_: { log: unknown; preferCuda?: boolean; onProgress?: (p: InstallProgress) => void }): Promise<{ libraries: string[] }> {
  const dir = process.env.SCRL_TENSORFLOW ?? '';
  return { libraries: [`${dir}/libtensorflow_framework.so.2`, `${dir}/libtensorflow_cc.so.2`] };
}
