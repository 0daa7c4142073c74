/* SPDX-License-Identifier: MIT */
/*
 * Every cipher, digest and MAC that OpenSSL's providers have, by libcrypto: among them those that
 * the commands refuse (GCM, CCM, OCB, SIV, ChaCha20-Poly1305, XTS, key wrapping). A line each with
 * a digest of what it gives for inputs of several lengths, with fixed keys, and for how many of
 * them it did. Run on the host and in the guest (scripts/guest-openssl); the two must print the
 * same. What a cipher wrote it must read again, and what has a tag must refuse a wrong one.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_SIZE = 8192, OUTPUT_SIZE = 4 * INPUT_SIZE, MAX_NAMES = 512, TAG = 16 };

static unsigned char input[INPUT_SIZE], key[512], iv[64], aad[37];
static const char *names[MAX_NAMES];
static unsigned count;

static const int lengths[] = { 16, 17, 31, 64, 96, 240, 1000, 1024, 4096, 8176, 8192 };
enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

static void add_name(const char *name)
{
    if (name && count < MAX_NAMES)
        names[count++] = name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static EVP_MD_CTX *new_hash(void)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    return md;
}

static void say(const char *kind, const char *name, EVP_MD_CTX *md, unsigned done)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_DigestFinal_ex(md, hash, &len);
    EVP_MD_CTX_free(md);
    printf("evp %s %s ", kind, name);
    for (unsigned n = 0; n < 12; n++)
        printf("%02x", hash[n]);
    printf(" %u\n", done);
}

/* ---- Ciphers --------------------------------------------------------------------------------- */

static bool has_tag(const EVP_CIPHER *c)
{
    return (EVP_CIPHER_get_flags(c) & EVP_CIPH_FLAG_AEAD_CIPHER) ||
           EVP_CIPHER_get_mode(c) == EVP_CIPH_SIV_MODE;
}

static bool set_lengths(EVP_CIPHER_CTX *x, const EVP_CIPHER *c, bool enc, unsigned char *tag)
{
    int mode = EVP_CIPHER_get_mode(c);
    bool small = mode == EVP_CIPH_CCM_MODE || mode == EVP_CIPH_OCB_MODE;
    if (small && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) <= 0)
        return false;
    if (!has_tag(c) || (enc && !small))
        return true;
    return EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG, enc ? NULL : tag) > 0;
}

static bool start(EVP_CIPHER_CTX *x, const EVP_CIPHER *c, bool enc, int len, unsigned char *tag)
{
    int n, mode = EVP_CIPHER_get_mode(c);
    EVP_CIPHER_CTX_set_flags(x, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (!EVP_CipherInit_ex(x, c, NULL, NULL, NULL, enc) || !set_lengths(x, c, enc, tag))
        return false;
    if (!EVP_CipherInit_ex(x, NULL, NULL, key, EVP_CIPHER_CTX_get_iv_length(x) ? iv : NULL, enc))
        return false;
    if (mode == EVP_CIPH_CCM_MODE && !EVP_CipherUpdate(x, NULL, &n, NULL, len))
        return false;
    return !has_tag(c) || EVP_CipherUpdate(x, NULL, &n, aad, sizeof(aad));
}

/* The length of what it writes, -1: refused. */
static int run(const EVP_CIPHER *c, bool enc, unsigned char *out, const unsigned char *in, int len,
               unsigned char *tag)
{
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    bool ok = start(x, c, enc, len, tag) && EVP_CipherUpdate(x, out, &n, in, len) > 0;
    bool ends = enc || EVP_CIPHER_get_mode(c) != EVP_CIPH_CCM_MODE; /* which has checked its tag */
    if (ok && ends)
        ok = EVP_CipherFinal_ex(x, out + n, &last) > 0;
    if (ok && enc && has_tag(c))
        ok = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG, tag) > 0;
    EVP_CIPHER_CTX_free(x);
    return ok ? n + last : -1;
}

static bool seals_and_opens(const EVP_CIPHER *c, int len, EVP_MD_CTX *md)
{
    static unsigned char sealed[OUTPUT_SIZE], back[OUTPUT_SIZE], tag[TAG];
    const char *name = EVP_CIPHER_get0_name(c);
    memset(tag, 0, sizeof(tag));
    int sealed_len = run(c, true, sealed, input, len, tag);
    if (sealed_len < 0)
        return false;
    if (strcmp(name, "DES3-WRAP") != 0) /* which begins with a random number */
        EVP_DigestUpdate(md, sealed, (size_t)sealed_len);
    EVP_DigestUpdate(md, tag, sizeof(tag));
    int n = run(c, false, back, sealed, sealed_len, tag);
    if (n != len || memcmp(back, input, (size_t)len))
        printf("evp cipher %s, %d bytes: does not decrypt\n", name, len);
    tag[len % TAG] ^= 1;
    if (has_tag(c) && run(c, false, back, sealed, sealed_len, tag) >= 0)
        printf("evp cipher %s, %d bytes: takes a wrong tag\n", name, len);
    return true;
}

/* Not those of records of TLS, which work with a TLS library only (the digests come into them from
 * outside). */
static void add_cipher(EVP_CIPHER *c, void *opaque)
{
    (void)opaque;
    if (!strstr(EVP_CIPHER_get0_name(c), "-HMAC-"))
        add_name(EVP_CIPHER_get0_name(c));
}

static void all_ciphers(void)
{
    count = 0;
    EVP_CIPHER_do_all_provided(NULL, add_cipher, NULL);
    qsort(names, count, sizeof(names[0]), by_name);
    for (unsigned n = 0; n < count; n++) {
        EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, names[n], NULL);
        EVP_MD_CTX *md = new_hash();
        unsigned done = 0;
        for (unsigned k = 0; c && k < LENGTHS; k++)
            done += seals_and_opens(c, lengths[k], md);
        say("cipher", names[n], md, done);
        EVP_CIPHER_free(c);
    }
}

/* ---- Digests and MACs ------------------------------------------------------------------------ */

static void add_digest(EVP_MD *d, void *opaque)
{
    (void)opaque;
    add_name(EVP_MD_get0_name(d));
}

static void all_digests(void)
{
    count = 0;
    EVP_MD_do_all_provided(NULL, add_digest, NULL);
    qsort(names, count, sizeof(names[0]), by_name);
    for (unsigned n = 0; n < count; n++) {
        EVP_MD *d = EVP_MD_fetch(NULL, names[n], NULL);
        EVP_MD_CTX *md = new_hash();
        unsigned char out[EVP_MAX_MD_SIZE];
        unsigned done = 0, len;
        for (unsigned k = 0; d && k < LENGTHS; k++) {
            if (!EVP_Digest(input, (size_t)lengths[k], out, &len, d, NULL))
                continue;
            EVP_DigestUpdate(md, out, len);
            done++;
        }
        say("digest", names[n], md, done);
        EVP_MD_free(d);
    }
}

typedef struct MacCase {
    const char *mac, *cipher, *digest;
    size_t key_len, iv_len;
} MacCase;

static const MacCase macs[] = {
    { "CMAC", "AES-128-CBC", NULL, 16, 0 },
    { "CMAC", "AES-256-CBC", NULL, 32, 0 },
    { "CMAC", "CAMELLIA-256-CBC", NULL, 32, 0 },
    { "CMAC", "DES-EDE3-CBC", NULL, 24, 0 },
    { "GMAC", "AES-128-GCM", NULL, 16, 12 },
    { "GMAC", "AES-192-GCM", NULL, 24, 12 },
    { "GMAC", "AES-256-GCM", NULL, 32, 16 },
    { "HMAC", NULL, "SHA1", 20, 0 },
    { "HMAC", NULL, "SHA256", 32, 0 },
    { "HMAC", NULL, "SHA512", 64, 0 },
    { "HMAC", NULL, "SHA3-384", 48, 0 },
    { "BLAKE2BMAC", NULL, NULL, 32, 0 },
    { "BLAKE2SMAC", NULL, NULL, 32, 0 },
    { "KMAC-128", NULL, NULL, 32, 0 },
    { "KMAC-256", NULL, NULL, 32, 0 },
    { "POLY1305", NULL, NULL, 32, 0 },
    { "SIPHASH", NULL, NULL, 16, 0 },
};

static bool authenticate(EVP_MAC *mac, const MacCase *m, int len, EVP_MD_CTX *md)
{
    EVP_MAC_CTX *x = EVP_MAC_CTX_new(mac);
    OSSL_PARAM p[4], *at = p;
    unsigned char out[256];
    size_t n = 0;
    if (m->cipher)
        *at++ = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char *)m->cipher, 0);
    if (m->digest)
        *at++ = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)m->digest, 0);
    if (m->iv_len)
        *at++ = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, iv, m->iv_len);
    *at = OSSL_PARAM_construct_end();
    bool ok = EVP_MAC_init(x, key, m->key_len, p) && EVP_MAC_update(x, input, (size_t)len) &&
              EVP_MAC_final(x, out, &n, sizeof(out));
    EVP_MAC_CTX_free(x);
    if (ok)
        EVP_DigestUpdate(md, out, n);
    return ok;
}

static void all_macs(void)
{
    for (unsigned k = 0; k < sizeof(macs) / sizeof(macs[0]); k++) {
        EVP_MAC *mac = EVP_MAC_fetch(NULL, macs[k].mac, NULL);
        EVP_MD_CTX *md = new_hash();
        char name[64];
        unsigned done = 0;
        snprintf(name, sizeof(name), "%s-%s%s", macs[k].mac, macs[k].cipher ? macs[k].cipher : "",
                 macs[k].digest ? macs[k].digest : "");
        for (unsigned n = 0; mac && n < LENGTHS; n++)
            done += authenticate(mac, &macs[k], lengths[n], md);
        say("mac", name, md, done);
        EVP_MAC_free(mac);
    }
}

static void fill(unsigned char *p, size_t n, unsigned v)
{
    for (size_t k = 0; k < n; k++) {
        v = v * 1103515245 + 12345;
        p[k] = (unsigned char)(v >> 16);
    }
}

int main(void)
{
    OSSL_PROVIDER_load(NULL, "legacy");
    OSSL_PROVIDER_load(NULL, "default");
    fill(input, sizeof(input), 1);
    fill(key, sizeof(key), 2);
    fill(iv, sizeof(iv), 3);
    fill(aad, sizeof(aad), 4);
    all_ciphers();
    all_digests();
    all_macs();
    return 0;
}
