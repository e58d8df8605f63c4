//! A source over TLS, whose certificate is from an authority of one's own, and then does not fit.

use super::DOWN;
use super::pair::{Pair, ciso, row, sandbox, serve, short, token};
use crate::rude::{self, Manner, Rude};
use incident_gateway::{
    sandbox::Vendor,
    upstream::{Network, Policy},
};

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_a_source_that_cannot_be_reached() {
    let bad = sandbox(Vendor::CisoAssistant, 20, 1);
    let rude = Rude::over_tls(serve(&bad).await).await;
    let network = Network { ca_file: Some(rude::certificate("ca.pem")), ..Network::default() };
    let source = ciso("bad", &format!("https://{}/", rude.address), token(&bad), Policy { network, ..short() });
    let pair = Pair::with(bad, rude, source, short()).await;
    for (name, certificate) in
        [("of another name", "elsewhere"), ("whose time is over", "expired"), ("of an unknown authority", "stranger")]
    {
        pair.row(row(name, Manner::Shows(certificate), DOWN, true)).await;
    }
}
