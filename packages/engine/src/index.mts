// The same names as properties of `require('@upwire/engine')`, and the same default. They come from there, and not from
// the modules below, so that the class has its properties however the package is loaded.
import WebSocketDefault from './index.js';

export const {
  WebSocket,
  WebSocketServer,
  Server,
  createWebSocketStream,
  extension,
  subprotocol,
  PerMessageDeflate,
  Receiver,
  Sender,
  prepare,
  broadcast,
  PreparedMessage,
  MemoryBroker,
  Event,
  CloseEvent,
  ErrorEvent,
  MessageEvent,
} = WebSocketDefault;

export default WebSocketDefault;

export type WebSocket = WebSocketDefault.WebSocket;
export type WebSocketServer = WebSocketDefault.WebSocketServer;
export type Server = WebSocketDefault.Server;
export type PerMessageDeflate = WebSocketDefault.PerMessageDeflate;
export type Receiver = WebSocketDefault.Receiver;
export type Sender = WebSocketDefault.Sender;
export type Event = WebSocketDefault.Event;
export type CloseEvent = WebSocketDefault.CloseEvent;
export type ErrorEvent = WebSocketDefault.ErrorEvent;
export type MessageEvent = WebSocketDefault.MessageEvent;
export type AddressInfo = WebSocketDefault.AddressInfo;
export type BinaryType = WebSocketDefault.BinaryType;
export type BroadcastOptions = WebSocketDefault.BroadcastOptions;
export type Broker = WebSocketDefault.Broker;
export type BufferLike = WebSocketDefault.BufferLike;
export type CertMeta = WebSocketDefault.CertMeta;
export type ClientOptions = WebSocketDefault.ClientOptions;
export type Data = WebSocketDefault.Data;
export type EventListenerOptions = WebSocketDefault.EventListenerOptions;
export type FinishRequestCallback = WebSocketDefault.FinishRequestCallback;
export type FrameOptions = WebSocketDefault.FrameOptions;
export type MemoryBroker = WebSocketDefault.MemoryBroker;
export type PreparedMessage = WebSocketDefault.PreparedMessage;
export type PrepareData = WebSocketDefault.PrepareData;
export type PrepareOptions = WebSocketDefault.PrepareOptions;
export type PerMessageDeflateOptions = WebSocketDefault.PerMessageDeflateOptions;
export type PerMessageDeflateSettings = WebSocketDefault.PerMessageDeflateSettings;
export type RawData = WebSocketDefault.RawData;
export type ReceiverOptions = WebSocketDefault.ReceiverOptions;
export type SendOptions = WebSocketDefault.SendOptions;
export type ServerOptions = WebSocketDefault.ServerOptions;
export type VerifyClientCallback = WebSocketDefault.VerifyClientCallback;
export type VerifyClientInfo = WebSocketDefault.VerifyClientInfo;
export type WebSocketEventMap = WebSocketDefault.WebSocketEventMap;
export type WebSocketStreamOptions = WebSocketDefault.WebSocketStreamOptions;
