//! The region that a request is for, and the names of the service's resources there.

use http::HeaderMap;

use crate::model::Area;

/// The account that owns everything here.
const ACCOUNT: &str = "123456789012";
/// The region of a request that names none, as one with a bearer key.
const DEFAULT_REGION: &str = "us-east-1";

/// A region of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// The region that `headers` are signed for: the credential scope says
    /// `AKID/20260101/us-east-1/bedrock/aws4_request`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let scoped = || {
            let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
            let credential = header.split_once("Credential=")?.1.split(',').next()?;
            let region = credential.split('/').nth(2)?;
            let is_region = (1..=20).contains(&region.len())
                && region.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            is_region.then(|| region.to_owned())
        };
        Region(scoped().unwrap_or_else(|| DEFAULT_REGION.to_owned()))
    }

    fn partition(&self) -> &'static str {
        match self.0.as_str() {
            name if name.starts_with("us-gov-") => "aws-us-gov",
            name if name.starts_with("cn-") => "aws-cn",
            _ => "aws",
        }
    }

    /// The ARN of a foundation model.
    pub(crate) fn foundation_model(&self, id: &str) -> String {
        format!("arn:{}:bedrock:{}::foundation-model/{id}", self.partition(), self.0)
    }

    /// The ARN of a resource of the account, such as `agent-alias/ID/ID`.
    pub(crate) fn resource(&self, resource: &str) -> String {
        format!("arn:{}:bedrock:{}:{ACCOUNT}:{resource}", self.partition(), self.0)
    }

    /// Whether cross-region profiles of `area` are offered here.
    pub(crate) fn offers(&self, area: Area) -> bool {
        let name = self.0.as_str();
        match area {
            Area::Us => {
                (name.starts_with("us-") && !name.starts_with("us-gov-")) || name.starts_with("ca-")
            }
            Area::UsGov => name.starts_with("us-gov-"),
            Area::Ca => name.starts_with("ca-"),
            Area::Eu => name.starts_with("eu-"),
            Area::Apac => name.starts_with("ap-"),
            Area::Global => !name.starts_with("us-gov-") && !name.starts_with("cn-"),
            Area::Au => matches!(name, "ap-southeast-2" | "ap-southeast-4"),
            Area::Jp => matches!(name, "ap-northeast-1" | "ap-northeast-3"),
            Area::In => matches!(name, "ap-south-1" | "ap-south-2"),
        }
    }

    /// The regions that a profile of `area` sends requests to.
    pub(crate) fn destinations(&self, area: Area) -> Vec<Region> {
        let names: &[&str] = match area {
            Area::Us => &["us-east-1", "us-east-2", "us-west-2"],
            Area::UsGov => &["us-gov-east-1", "us-gov-west-1"],
            Area::Ca => &["ca-central-1", "ca-west-1"],
            Area::Eu => &["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"],
            Area::Apac => &[
                "ap-northeast-1",
                "ap-northeast-2",
                "ap-south-1",
                "ap-southeast-1",
                "ap-southeast-2",
            ],
            Area::Global => return vec![self.clone()],
            Area::Au => &["ap-southeast-2", "ap-southeast-4"],
            Area::Jp => &["ap-northeast-1", "ap-northeast-3"],
            Area::In => &["ap-south-1", "ap-south-2"],
        };
        names.iter().map(|name| Region((*name).to_owned())).collect()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    use super::*;

    fn signed_for(scope: &str) -> Region {
        let mut headers = HeaderMap::new();
        let value = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        Region::of(&headers)
    }

    #[test]
    fn a_request_is_for_the_region_that_it_is_signed_for() {
        let region = signed_for("AKID/20260101/eu-west-1/bedrock/aws4_request");
        assert_eq!(
            region.foundation_model("amazon.nova-lite-v1:0"),
            "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"
        );
        assert!(region.offers(Area::Eu) && region.offers(Area::Global));
        assert!(!region.offers(Area::Us) && !region.offers(Area::Jp));
        assert_eq!(
            signed_for("AKID/20260101/us-gov-west-1/bedrock/aws4_request").resource("a/b"),
            format!("arn:aws-us-gov:bedrock:us-gov-west-1:{ACCOUNT}:a/b")
        );
    }

    #[test]
    fn a_request_without_a_scope_is_for_the_default_region() {
        assert_eq!(Region::of(&HeaderMap::new()).as_str(), DEFAULT_REGION);
        for scope in ["", "AKID", "AKID/20260101/", "AKID/20260101/US EAST/bedrock"] {
            assert_eq!(signed_for(scope).as_str(), DEFAULT_REGION, "{scope}");
        }
    }
}
