import { HandshakeError, HandshakeErrorCode } from '../../src/handshake/error';

test('an error of the handshake is an Error with a code', () => {
  const error = new HandshakeError('Too late', HandshakeErrorCode.TIMEOUT);
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message }).toEqual({
    message: 'Too late',
    code: 'WS_ERR_HANDSHAKE_TIMEOUT',
    clause: undefined,
    statusCode: undefined,
  });
  expect('cause' in error).toBe(false);
});

test('it says what was broken, answered and behind it', () => {
  const cause = new SyntaxError('Unexpected end of input');
  const error = new HandshakeError('No', 'WS_ERR_UNEXPECTED_RESPONSE', {
    cause,
    clause: 'RFC 6455 4.1',
    statusCode: 404,
  });
  expect(error).toMatchObject({ clause: 'RFC 6455 4.1', statusCode: 404 });
  expect(error.cause).toBe(cause);
});

test('the codes', () => {
  expect(HandshakeErrorCode).toEqual({
    INVALID: 'WS_ERR_INVALID_HANDSHAKE',
    RESPONSE: 'WS_ERR_UNEXPECTED_RESPONSE',
    TIMEOUT: 'WS_ERR_HANDSHAKE_TIMEOUT',
    REDIRECTS: 'WS_ERR_TOO_MANY_REDIRECTS',
    ABORTED: 'WS_ERR_CLOSED_BEFORE_OPEN',
  });
});
