import easy from './easy.js';

export type Options = easy.Options;
export type EasyMiddleware = easy.EasyMiddleware;

export { easy };
export default easy;
