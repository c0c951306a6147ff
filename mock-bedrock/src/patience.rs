//! Clients that cannot take an answer the moment they have asked.

use std::time::Duration;

use http::HeaderMap;
use http::header::USER_AGENT;

/// What the AWS SDK for Go calls itself begins with this.
const GO: &[u8] = b"aws-sdk-go-v2/";

/// How long Go gets to find the end of its own request.
const GO_NEEDS: Duration = Duration::from_millis(5);

/// How long after the arrival of a request its client can take an answer.
///
/// Once the head of an answer is there, smithy-go (1.28.8, `transport/http`) closes the body of its
/// request, and `net/http`, should it not yet have looked whether that body goes on, takes this for
/// a failure and cuts the connection: the stream ends with "use of closed network connection". The
/// service is never so quick that this would show; over a loopback it struck one stream in a
/// hundred.
pub(crate) fn needed(headers: &HeaderMap) -> Duration {
    let is_go = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(GO));
    if is_go { GO_NEEDS } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_sdk_for_go_is_waited_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(needed(&headers), Duration::ZERO);
        headers.insert(USER_AGENT, HeaderValue::from_static("Boto3/1.44.5 md/Botocore#1.44.5"));
        assert_eq!(needed(&headers), Duration::ZERO);
        headers.insert(USER_AGENT, HeaderValue::from_static("aws-sdk-go-v2/1.47.7 ua/2.1"));
        assert_eq!(needed(&headers), GO_NEEDS);
    }
}
