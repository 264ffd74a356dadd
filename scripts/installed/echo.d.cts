export function checkEcho(port: number, path: string): Promise<void>;
